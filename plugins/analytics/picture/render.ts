// Draws: ECharts makes an SVG, resvg a PNG of it with the fonts that come with the program. Slow (tens of milliseconds), so it runs on a thread of its own.
import { createRequire } from 'node:module'
import path from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, setPlatformAPI, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { isWide } from '../letters.ts'
import type { Drawing } from './drawing.ts'
import { fontFamily, heightOf, optionsOf, width } from './options.ts'

use([LineChart, BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])
// Without a canvas ECharts guesses with the widths of another font and would let labels overlap.
setPlatformAPI({
  measureText: (text, font) =>
    ({ width: widthOf(text, Number.parseFloat(/(\d+(\.\d+)?)px/.exec(font ?? '')?.[1] ?? '12')) }) as never,
})

/** Twice as many pixels as points: sharp on the screens that people have. */
const scale = 2
const fonts = path.join(path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => path.join(fonts, name))

/** The drawing as SVG. */
export function svgOf(drawing: Drawing): string {
  const chart = init(null, undefined, { renderer: 'svg', ssr: true, width, height: heightOf(drawing) })
  try {
    chart.setOption(optionsOf(drawing))
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

/** The bytes of the PNG. Letters that the fonts do not have are drawn as boxes. */
export function pngOf(drawing: Drawing): Buffer {
  const svg = new Resvg(svgOf(drawing), {
    fitTo: { mode: 'width', value: width * scale },
    font: { fontFiles, loadSystemFonts: false, defaultFontFamily: fontFamily, sansSerifFamily: fontFamily },
  })
  return svg.render().asPng()
}

/** About as wide as DejaVu Sans is, in points. */
function widthOf(text: string, size: number): number {
  let ems = 0
  for (const sign of text)
    ems += isWide(sign)
      ? 1
      : /[ijlI.,:;|'!()[\] ]/.test(sign)
        ? 0.36
        : /[mwMW%@—]/.test(sign)
          ? 0.95
          : /[A-Z]/.test(sign)
            ? 0.69
            : 0.63
  return ems * size
}
