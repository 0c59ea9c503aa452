import { STATE_NAMES } from './state-name.js'
import { EDGES, type Edge } from './states.js'
import { BOXES, COLUMNS, ROWS, type Route, routes } from './states-layout.js'

const actionOf = (edge: Edge): string => (edge.action === '' ? 'x' : edge.action)

/** The transition table as text, one edge a line. */
export function statesTable(): string {
  const head = ['from', 'event', 'to', 'action', 'when', 'RFC 9293 section or source']
  const rows = EDGES.map((e) => [e.from, e.event, e.to, e.action === '' ? '-' : e.action, e.guard, e.section])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line), ''].join('\n')
}

/** The state diagram in the shape of RFC 9293 figure 5, with the events and actions of the table. */
export function statesAscii(): string {
  const canvas = Array.from({ length: ROWS }, () => new Array<string>(COLUMNS).fill(' '))
  const put = (x: number, y: number, text: string) => {
    for (let i = 0; i < text.length; i++) if (x + i < COLUMNS) canvas[y]![x + i] = text[i]!
  }
  for (const route of routes()) {
    drawLine(route, put)
    drawLabel(route, put)
  }
  for (const { state, x, y, width, height } of BOXES) {
    const bar = `+${'-'.repeat(width - 2)}+`
    put(x, y, bar)
    put(x, y + height - 1, bar)
    for (let row = y + 1; row < y + height - 1; row++) put(x, row, `|${' '.repeat(width - 2)}|`)
    put(x + ((width - state.length + 1) >> 1), y + (height >> 1), state)
  }
  return `${canvas.map((row) => row.join('').trimEnd()).join('\n')}\n`
}

function drawLine({ points }: Route, put: (x: number, y: number, text: string) => void): void {
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]!
    const [x1, y1] = points[i]!
    if (y0 === y1) put(Math.min(x0, x1), y0, '-'.repeat(Math.abs(x1 - x0) + 1))
    else for (let y = Math.min(y0, y1); y <= Math.max(y0, y1); y++) put(x0, y, '|')
    if (i > 1) put(x0, y0, '+')
  }
  const [x0, y0] = points.at(-2)!
  const [x1, y1] = points.at(-1)!
  put(x1, y1, y0 === y1 ? (x1 > x0 ? '>' : '<') : y1 > y0 ? 'V' : '^')
}

function drawLabel(route: Route, put: (x: number, y: number, text: string) => void): void {
  const { edge, x, y, alignRight, inline } = route
  const action = actionOf(edge)
  if (inline) return put(x, y, `${edge.event} / ${action}`)
  const width = Math.max(edge.event.length, action.length)
  const left = alignRight ? x - width + 1 : x
  put(left, y, edge.event)
  put(left, y + 1, '-'.repeat(width))
  put(left, y + 2, action)
}

/** All edges as a Mermaid state diagram. */
export function statesMermaid(): string {
  const id = (state: string) => state.replaceAll('-', '_')
  const lines = ['stateDiagram-v2']
  for (const state of STATE_NAMES) lines.push(`  state "${state}" as ${id(state)}`)
  lines.push('  [*] --> CLOSED')
  for (const e of EDGES) {
    // a colon would end Mermaid's label
    const label = `${e.event}${e.guard === '' ? '' : ` [${e.guard}]`} / ${actionOf(e)}`.replaceAll(':', ' -')
    lines.push(`  ${id(e.from)} --> ${id(e.to)} : ${label}`)
  }
  return `${lines.join('\n')}\n`
}

/** One cell of the text layout, px. */
const CELL_WIDTH = 8
const CELL_HEIGHT = 16

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The state diagram of RFC 9293 figure 5 as an SVG picture; a state's box has its name as `data-state`. */
export function statesSvg(): string {
  const px = (x: number) => (x + 0.5) * CELL_WIDTH
  const py = (y: number) => (y + 0.5) * CELL_HEIGHT
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * CELL_WIDTH} ${ROWS * CELL_HEIGHT}" font-family="ui-monospace, monospace" font-size="13">`,
    '<title>TCP connection states (RFC 9293 figure 5)</title>',
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect width="100%" height="100%" fill="white"/>`,
  ]
  for (const { edge, points, x, y, alignRight, inline } of routes()) {
    const path = points.map(([a, b]) => `${px(a)},${py(b)}`).join(' ')
    out.push(
      `<polyline points="${path}" fill="none" stroke="black" marker-end="url(#arrow)" data-from="${edge.from}" data-to="${edge.to}"/>`,
    )
    const anchor = alignRight ? 'end' : 'start'
    const column = alignRight ? x + 1 : x
    const text = (row: number, content: string, colour: string) =>
      `<text x="${column * CELL_WIDTH}" y="${(row + 0.8) * CELL_HEIGHT}" text-anchor="${anchor}" fill="${colour}">${escaped(content)}</text>`
    if (inline) out.push(text(y, `${edge.event} / ${actionOf(edge)}`, '#223'))
    else {
      out.push(text(y, edge.event, '#135'))
      if (edge.action !== '') out.push(text(y + 1, edge.action, '#763'))
    }
  }
  for (const { state, x, y, width, height } of BOXES) {
    const left = px(x)
    const top = py(y)
    const w = (width - 1) * CELL_WIDTH
    const h = (height - 1) * CELL_HEIGHT
    out.push(
      `<g data-state="${state}"><rect x="${left}" y="${top}" width="${w}" height="${h}" rx="4" fill="#f4f4ee" stroke="black"/>`,
      `<text x="${left + w / 2}" y="${top + h / 2 + 4.5}" text-anchor="middle" font-weight="bold">${state}</text></g>`,
    )
  }
  out.push('</svg>', '')
  return out.join('\n')
}
