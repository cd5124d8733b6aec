// From a drawing to what ECharts draws: made for 550 points, the width at which Discord shows a picture. Colours of Okabe and Ito, told apart by everyone; lines
// differ in their dashes, too. Pure.
import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import type { GridComponentOption, LegendComponentOption, TitleComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { fitted } from '../letters.ts'
import { type Bars, type Drawing, type Lines, shortNumber, type Theme } from './drawing.ts'

export type ChartOption = ComposeOption<
  LineSeriesOption | BarSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption
>

export const width = 550
export const fontFamily = 'DejaVu Sans'

const looks = {
  dark: {
    ground: '#1e1f26',
    ink: '#f2f3f7',
    soft: '#a9adbb',
    grid: '#33353f',
    before: '#868b9c',
    colors: ['#56b4e9', '#e69f00', '#3ccf9f', '#f0e442', '#e08bbd', '#ff8a4c'],
  },
  light: {
    ground: '#ffffff',
    ink: '#1b1d23',
    soft: '#5a6070',
    grid: '#e4e6ec',
    before: '#8d93a3',
    colors: ['#0072b2', '#d98c00', '#009e73', '#8a7a00', '#b0508f', '#d55e00'],
  },
} as const satisfies Record<Theme, object>

const dashes = ['solid', [6, 3], [2, 3], [9, 3, 2, 3], [1, 2], [12, 4]] as const

/** How high the picture is. */
export function heightOf(drawing: Drawing): number {
  return drawing.kind === 'lines'
    ? drawing.series.length > 3
      ? 346
      : drawing.series.length > 1
        ? 320
        : 300
    : Math.max(160, 96 + 38 * drawing.bars.length)
}

export function optionsOf(drawing: Drawing): ChartOption {
  const look = looks[drawing.theme]
  return {
    animation: false,
    backgroundColor: look.ground,
    color: [...look.colors],
    textStyle: { fontFamily, fontSize: 12, color: look.soft },
    title: [
      {
        text: fitted(drawing.title, 46),
        subtext: fitted(drawing.subtitle, 72),
        left: 20,
        top: 16,
        itemGap: 6,
        textStyle: { fontFamily, fontSize: 16, fontWeight: 'bold', color: look.ink },
        subtextStyle: { fontFamily, fontSize: 12, color: look.soft },
      },
      ...(isEmpty(drawing)
        ? [
            {
              text: 'Nothing here yet',
              left: 'center',
              top: drawing.kind === 'lines' ? 158 : 96,
              textStyle: { fontFamily, fontSize: 14, fontWeight: 'normal' as const, color: look.soft },
            },
          ]
        : []),
    ],
    ...(drawing.kind === 'lines' ? linesOf(drawing) : barsOf(drawing)),
  }
}

function isEmpty(drawing: Drawing): boolean {
  return drawing.kind === 'lines'
    ? drawing.series.every(({ values }) => values.every((value) => !value))
    : drawing.bars.length === 0
}

function linesOf({ series, steps, unit, theme }: Lines): ChartOption {
  const look = looks[theme]
  const isEmptyChart = series.every(({ values }) => values.every((value) => !value))
  const hasLegend = series.length > 1
  const lines = series.filter(({ style }) => style === 'line')
  return {
    ...(hasLegend && {
      legend: {
        bottom: 12,
        left: 20,
        right: 20,
        itemWidth: 26,
        itemHeight: 8,
        itemGap: 18,
        type: 'plain' as const,
        textStyle: { fontFamily, fontSize: 12, color: look.soft },
        formatter: (name: string) => fitted(name, series.length > 3 ? 18 : 30),
      },
    }),
    grid: {
      left: 20,
      right: 26,
      top: 78,
      bottom: hasLegend ? (series.length > 3 ? 72 : 48) : 20,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    xAxis: {
      type: 'category',
      data: [...steps],
      boundaryGap: steps.length === 1,
      axisLine: { lineStyle: { color: look.grid } },
      axisTick: { show: false },
      axisLabel: {
        fontFamily,
        fontSize: 11,
        color: look.soft,
        margin: 12,
        hideOverlap: true,
        interval: Math.max(0, Math.ceil(steps.length / 7) - 1),
      },
    },
    yAxis: {
      type: 'value',
      min: (range: { min: number }) => Math.min(0, range.min),
      ...(isEmptyChart && { max: 1 }),
      splitNumber: 4,
      ...(unit.kind === 'count' && { minInterval: 1 }),
      splitLine: { lineStyle: { color: look.grid, width: 1 } },
      axisLabel: {
        show: !isEmptyChart,
        fontFamily,
        fontSize: 11,
        color: look.soft,
        margin: 10,
        formatter: (value: number) => shortNumber(value, unit),
      },
    },
    series: series.map(({ name, values, style }) => {
      const place = lines.findIndex((line) => line.name === name)
      const isBefore = style === 'before'
      return {
        type: 'line' as const,
        name,
        data: values.map((value) => value ?? '-'),
        z: isBefore ? 2 : 3,
        showSymbol: values.length === 1 || (values.length <= 31 && !isBefore && !isEmptyChart),
        symbol: 'circle',
        symbolSize: values.length === 1 ? 10 : 5,
        lineStyle: isBefore
          ? { color: look.before, width: 1.5, type: [4, 4] }
          : { width: 2.5, type: dashOf(place), cap: 'round' as const },
        itemStyle: { color: isBefore ? look.before : look.colors[place % look.colors.length]! },
        ...(lines.length === 1 &&
          !isBefore && {
            areaStyle: {
              color: {
                type: 'linear' as const,
                x: 0,
                y: 0,
                x2: 0,
                y2: 1,
                colorStops: [
                  { offset: 0, color: `${look.colors[0]}55` },
                  { offset: 1, color: `${look.colors[0]}08` },
                ],
              },
            },
          }),
      }
    }),
  }
}

function dashOf(place: number): 'solid' | number[] {
  const dash = dashes[place % dashes.length]!
  return dash === 'solid' ? dash : [...dash]
}

function barsOf({ bars, unit, theme }: Bars): ChartOption {
  const look = looks[theme]
  const compared = bars.some(({ before }) => before !== undefined)
  const frame = { top: 70, bottom: compared ? 40 : 16 }
  const names = bars.map(({ name }) => fitted(name, 24))
  return {
    ...(compared && {
      legend: {
        bottom: 12,
        left: 20,
        itemWidth: 14,
        itemHeight: 8,
        itemGap: 18,
        textStyle: { fontFamily, fontSize: 12, color: look.soft },
      },
    }),
    grid: { left: 20, right: 74, ...frame, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'value', min: 0, show: false, ...(bars.length === 0 && { max: 1 }) },
    yAxis: {
      type: 'category',
      inverse: true,
      // By place, because two bars may have one name.
      data: bars.map((_, i) => i),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: {
        fontFamily,
        fontSize: 12,
        color: look.ink,
        margin: 12,
        formatter: (place: string) => names[Number(place)] ?? '',
      },
    },
    series: [
      {
        type: 'bar',
        name: 'This period',
        data: bars.map(({ value }) => value ?? 0),
        barMaxWidth: compared ? 14 : 18,
        barGap: '20%',
        itemStyle: { color: look.colors[0], borderRadius: [0, 4, 4, 0] },
        label: {
          show: true,
          position: 'right',
          distance: 8,
          fontFamily,
          fontSize: 12,
          fontWeight: 'bold',
          color: look.ink,
          formatter: ({ dataIndex }: { dataIndex: number }) => labelOf(bars[dataIndex]!.value, unit),
        },
      },
      ...(compared
        ? [
            {
              type: 'bar' as const,
              name: 'Period before',
              data: bars.map(({ before }) => before ?? 0),
              barMaxWidth: 6,
              itemStyle: { color: look.before, borderRadius: [0, 3, 3, 0] },
            },
          ]
        : []),
    ],
  }
}

function labelOf(value: number | null, unit: Bars['unit']): string {
  return value === null ? '–' : shortNumber(value, unit)
}
