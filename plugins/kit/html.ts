// The page shell and a template tag that escapes: every page that a partner or visitor sees on the web is made of these. No script, no external asset.

/** HTML that needs no escaping any more. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

type Part = string | number | bigint | Html | readonly Part[] | undefined | false

/** Builds HTML; everything that is put in is escaped, except other `Html`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string))
}

/** Marks text from a trusted renderer (a bundled document, a picture as SVG) as HTML. Never pass what a person typed. */
export function trusted(text: string): Html {
  return new Html(text)
}

function render(part: Part): string {
  if (part === undefined || part === false) return ''
  if (Array.isArray(part)) return part.map(render).join('')
  if (part instanceof Html) return part.text
  return escapeHtml(String(part))
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

export interface Page {
  title: string
  /** Name of the program, shown above the title. */
  program?: string
  body: Html
  /** A wider column for documents. */
  wide?: boolean
}

/** A whole page: readable without styles or scripts, light and dark, phone and desktop. */
export function page({ title, program, body, wide }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(program ? `${title} · ${program}` : title)}</title>
<style>${styles}</style>
</head>
<body>
<main${wide ? ' class="wide"' : ''}>
<header><span class="mark" aria-hidden="true"></span><span>${escapeHtml(program ?? 'Partner program')}</span></header>
<article>
<h1>${escapeHtml(title)}</h1>
${body.text}
</article>
</main>
</body>
</html>`
}

const styles = `
:root{--ink:#1b1d23;--soft:#5a6070;--paper:#fff;--ground:#f3f4f8;--line:#dfe2ea;--accent:#4752c4;--on-accent:#fff;--good:#1f7a45;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#eceef4;--soft:#a9afbf;--paper:#1e2028;--ground:#14151a;--line:#343845;--accent:#8b96ff;--on-accent:#0e1020;--good:#5fd08f;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:36rem;margin:0 auto;padding:clamp(1rem,6vh,4.5rem) 1rem 3rem}
main.wide{max-width:50rem}
header{display:flex;align-items:center;gap:.6rem;color:var(--soft);font-weight:600;font-size:.95rem;margin:0 .25rem .9rem}
.mark{width:1.1rem;height:1.1rem;border-radius:.35rem;background:linear-gradient(135deg,var(--accent),#eb9e34)}
article{overflow-wrap:anywhere;background:var(--paper);border:1px solid var(--line);border-radius:1rem;padding:clamp(1.25rem,4vw,2.25rem);box-shadow:0 1px 2px rgb(0 0 0/.05)}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1.05rem;margin:1.5rem 0 .4rem}
p{margin:.75rem 0}.soft{color:var(--soft);font-size:.95rem}
a{color:var(--accent)}
button,.button{display:inline-block;font:inherit;font-weight:600;border:0;border-radius:.6rem;padding:.7rem 1.3rem;background:var(--accent);color:var(--on-accent);cursor:pointer;text-decoration:none}
button:focus-visible,a:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
label{display:block;font-weight:600;margin:1.1rem 0 .35rem}
input[type=text],input[type=email],select{width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.6rem;padding:.65rem .8rem}
label.check{display:flex;gap:.7rem;align-items:flex-start;font-weight:400}label.check input{width:1.2rem;height:1.2rem;margin-top:.25rem;flex:none}
.notice{border-left:4px solid var(--accent);background:var(--ground);border-radius:.4rem;padding:.7rem 1rem;margin:1rem 0}
.notice.bad{border-color:var(--bad)}.notice.good{border-color:var(--good)}
.document{border:1px solid var(--line);border-radius:.7rem;padding:.25rem 1.25rem 1rem;margin:1rem 0;max-height:26rem;overflow:auto;background:var(--ground)}
table{width:100%;border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line)}td.amount{text-align:right;font-variant-numeric:tabular-nums}
code{background:var(--ground);border-radius:.3rem;padding:.1rem .35rem;font-size:.9em;overflow-wrap:anywhere}
`
