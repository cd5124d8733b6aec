// Server-rendered HTML for the vendors' pages: an escaping template tag and one page shell. It renders strings and serves nothing.

/** A piece of HTML that is safe to insert as it is. */
export interface Html {
  readonly html: string
}

type Value = Html | string | number | bigint | null | undefined | false | readonly Value[]

/** Builds HTML; every interpolated value is escaped unless it was built by `html` (or `raw`) itself. Null, undefined and false render nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: strings.reduce((text, part, index) => text + render(values[index - 1]) + part) }
}

/** Marks text as HTML. Only for constants of this program, never for anything a person or a client sent. */
export function raw(text: string): Html {
  return { html: text }
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return ''
  if (typeof value === 'object' && 'html' in value) return value.html
  if (typeof value === 'object') return value.map(render).join('')
  return escapeHtml(String(value))
}

/** Escapes text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A whole page: light and dark by the reader's preference, no external assets. `accent` is a CSS colour. */
export function page(options: { title: string; body: Html; accent?: string; accentDark?: string; css?: string }): string {
  const { title, body, accent = '#5b4bd6', accentDark = '#a79bff', css = '' } = options
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(`:root{--accent:${accent};--accent-dark:${accentDark}}${SHELL_CSS}${css}`)}</style>
</head>
<body>${body}</body>
</html>`.html
}

const SHELL_CSS = `
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1a1f36;--soft:#566077;--line:#e1e5ec;--good:#0b6b3a;--good-bg:#dcf5e6;--bad:#a5182c;--bad-bg:#fde6e8;--wait:#7a4a00;--wait-bg:#fdf0d5;--on-accent:#fff;--radius:12px}
@media (prefers-color-scheme:dark){:root{--accent:var(--accent-dark);--paper:#12151c;--card:#1b1f2a;--ink:#eceff6;--soft:#a3adc2;--line:#2d3342;--good:#7fe0a8;--good-bg:#12351f;--bad:#ff9aa6;--bad-bg:#451820;--wait:#ffcf7d;--wait-bg:#3d2c08;--on-accent:#12151c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-font-smoothing:antialiased}
h1,h2,h3{line-height:1.2;letter-spacing:-.015em;margin:0 0 .5em}
h1{font-size:1.75rem}h2{font-size:1.2rem}h3{font-size:1rem}
p{margin:0 0 1em}
a{color:var(--accent)}
small,.soft{color:var(--soft)}
small{font-size:.85rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.84em}
.wrap{max-width:1120px;margin:0 auto;padding:32px 20px 64px}
.card{background:var(--card);border:1px solid var(--line);border-radius:var(--radius);padding:24px;box-shadow:0 1px 2px rgba(20,30,60,.05)}
.stack>*+*{margin-top:16px}
button,.button{display:inline-block;font:inherit;font-weight:600;cursor:pointer;border:1px solid transparent;border-radius:8px;padding:10px 18px;background:var(--accent);color:var(--on-accent);text-decoration:none;text-align:center}
button:hover,.button:hover{filter:brightness(1.08)}
button:disabled{opacity:.5;cursor:default}
:focus-visible{outline:3px solid color-mix(in srgb,var(--accent) 55%,transparent);outline-offset:2px}
.quiet{background:transparent;color:var(--ink);border-color:var(--line)}
.small{padding:4px 10px;font-size:.82rem;border-radius:6px}
.wide{width:100%}
label{display:block;font-size:.88rem;font-weight:600;margin-bottom:4px}
input,select{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
select{appearance:none;padding-right:36px;background-image:linear-gradient(45deg,transparent 50%,var(--soft) 50%),linear-gradient(-45deg,transparent 50%,var(--soft) 50%);background-position:calc(100% - 20px) 50%,calc(100% - 14px) 50%;background-size:6px 6px;background-repeat:no-repeat}
.field{margin-bottom:14px}
.note{border-radius:8px;padding:10px 14px;background:var(--wait-bg);color:var(--wait)}
.note.bad{background:var(--bad-bg);color:var(--bad)}
.note.good{background:var(--good-bg);color:var(--good)}
.pill{display:inline-block;border-radius:99px;padding:1px 10px;font-size:.78rem;font-weight:600;background:var(--line);color:var(--soft);white-space:nowrap}
.pill.good{background:var(--good-bg);color:var(--good)}.pill.bad{background:var(--bad-bg);color:var(--bad)}.pill.wait{background:var(--wait-bg);color:var(--wait)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{font-size:.76rem;text-transform:uppercase;letter-spacing:.05em;color:var(--soft);font-weight:600;text-align:left}
th,td{padding:9px 12px 9px 0;border-bottom:1px solid var(--line);vertical-align:middle}
tr:last-child td{border-bottom:0}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
form.inline{display:inline-flex;gap:6px;align-items:center;margin:0}
.row{display:flex;flex-wrap:wrap;gap:10px;align-items:center}
.empty{color:var(--soft);padding:18px 0;margin:0}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`
