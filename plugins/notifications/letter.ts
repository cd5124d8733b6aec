// A mail as text and HTML, from paragraphs and one button. Pure; everything is escaped, nothing is loaded from elsewhere, light and dark.
import { escapeHtml, html } from '../kit/index.ts'

export interface LetterContent {
  readonly paragraphs: readonly string[]
  readonly button?: { readonly label: string; readonly url: string }
  readonly footer?: string
  /** `data` in base64. */
  readonly attachments?: readonly { readonly filename: string; readonly type: string; readonly data: string }[]
}

export interface Letter {
  readonly text: string
  readonly html: string
}

/** Both parts of the mail. The program's name stands at the top; the button's address also stands as text, for readers that show no buttons. */
export function renderLetter(subject: string, content: LetterContent, program: string): Letter {
  return { text: textOf(content, program), html: htmlOf(subject, content, program) }
}

function textOf({ paragraphs, button, footer }: LetterContent, program: string): string {
  return [
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.url}`] : []),
    `-- \n${[program, footer].filter(Boolean).join('\n')}`,
  ].join('\n\n')
}

function htmlOf(subject: string, { paragraphs, button, footer }: LetterContent, program: string): string {
  const body = html`${paragraphs.map((paragraph) => html`<p class="ink" style="margin:0 0 16px;color:#1b1d23">${paragraph}</p>`)}
${
  button &&
  html`<p style="margin:28px 0"><a class="button" href="${button.url}" style="display:inline-block;background:#4752c4;color:#ffffff;font-weight:600;text-decoration:none;padding:13px 26px;border-radius:10px">${button.label}</a></p>
<p class="soft" style="margin:0;color:#5a6070;font-size:13px;line-height:20px">If the button does nothing, open this address:<br><a class="link" href="${button.url}" style="color:#4752c4;word-break:break-all">${button.url}</a></p>`
}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>
:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
.ground{background:#14151a!important}.paper{background:#1e2028!important;border-color:#343845!important}
.ink{color:#eceef4!important}.soft{color:#a9afbf!important}.link{color:#8b96ff!important}
.button{background:#8b96ff!important;color:#0e1020!important}
}
</style>
</head>
<body class="ground" style="margin:0;padding:0;background:#f3f4f8">
<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f8"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px">
<tr><td class="soft" style="padding:0 4px 12px;font:600 14px/20px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;color:#5a6070">${escapeHtml(program)}</td></tr>
<tr><td class="paper" style="background:#ffffff;border:1px solid #dfe2ea;border-radius:16px;padding:32px;font:16px/26px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<h1 class="ink" style="margin:0 0 18px;font-size:22px;line-height:30px;color:#1b1d23">${escapeHtml(subject)}</h1>
${body.text}
</td></tr>
${footer ? `<tr><td class="soft" style="padding:16px 4px 0;font:13px/20px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;color:#5a6070">${escapeHtml(footer)}</td></tr>` : ''}
</table>
</td></tr></table>
</body>
</html>`
}
