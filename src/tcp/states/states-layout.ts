import type { StateName } from './state-name.js'
import { EDGES, type Edge } from './states.js'

/** A state's box, in columns and rows of text. */
export interface Box {
  readonly state: StateName
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** How one drawn edge of the table runs: corner points from the box it leaves to the one it enters, and where its text stands. */
export interface Route {
  readonly edge: Edge
  readonly points: readonly (readonly [x: number, y: number])[]
  /** First column of the text, or with `alignRight` its last; first row. */
  readonly x: number
  readonly y: number
  readonly alignRight: boolean
  /** Event and action in one row, divided by a stroke. */
  readonly inline: boolean
}

export const COLUMNS = 82
export const ROWS = 63

/** The places of RFC 9293 figure 5; CLOSED stands at the top and once more at the end of every way. */
export const BOXES: readonly Box[] = [
  { state: 'CLOSED', x: 29, y: 0, width: 15, height: 3 },
  { state: 'LISTEN', x: 29, y: 9, width: 15, height: 3 },
  { state: 'SYN-RECEIVED', x: 2, y: 16, width: 14, height: 7 },
  { state: 'SYN-SENT', x: 58, y: 16, width: 14, height: 7 },
  { state: 'ESTABLISHED', x: 29, y: 28, width: 15, height: 3 },
  { state: 'FIN-WAIT-1', x: 2, y: 37, width: 14, height: 5 },
  { state: 'CLOSE-WAIT', x: 58, y: 37, width: 14, height: 5 },
  { state: 'FIN-WAIT-2', x: 2, y: 48, width: 14, height: 3 },
  { state: 'CLOSING', x: 29, y: 48, width: 15, height: 3 },
  { state: 'LAST-ACK', x: 58, y: 48, width: 14, height: 3 },
  { state: 'TIME-WAIT', x: 29, y: 57, width: 15, height: 3 },
  { state: 'CLOSED', x: 58, y: 57, width: 14, height: 3 },
]

type Way = Omit<Route, 'edge' | 'alignRight' | 'inline'> & { readonly alignRight?: true; readonly inline?: true }

/** By `from>to`; the events and actions are the table's. */
const WAYS: Readonly<Record<string, Way>> = {
  'CLOSED>LISTEN': {
    points: [
      [34, 3],
      [34, 8],
    ],
    x: 32,
    y: 4,
    alignRight: true,
  },
  'LISTEN>CLOSED': {
    points: [
      [38, 8],
      [38, 3],
    ],
    x: 40,
    y: 4,
  },
  'CLOSED>SYN-SENT': {
    points: [
      [44, 1],
      [68, 1],
      [68, 15],
    ],
    x: 70,
    y: 5,
  },
  'SYN-SENT>CLOSED': {
    points: [
      [61, 15],
      [61, 2],
      [44, 2],
    ],
    x: 59,
    y: 8,
    alignRight: true,
  },
  'SYN-RECEIVED>LISTEN': {
    points: [
      [8, 15],
      [8, 10],
      [28, 10],
    ],
    x: 10,
    y: 7,
  },
  'LISTEN>SYN-RECEIVED': {
    points: [
      [33, 12],
      [33, 17],
      [16, 17],
    ],
    x: 31,
    y: 13,
    alignRight: true,
  },
  'LISTEN>SYN-SENT': {
    points: [
      [39, 12],
      [39, 17],
      [57, 17],
    ],
    x: 41,
    y: 13,
  },
  'SYN-SENT>SYN-RECEIVED': {
    points: [
      [57, 19],
      [16, 19],
    ],
    x: 26,
    y: 18,
    inline: true,
  },
  'SYN-RECEIVED>ESTABLISHED': {
    points: [
      [16, 21],
      [33, 21],
      [33, 27],
    ],
    x: 31,
    y: 22,
    alignRight: true,
  },
  'SYN-SENT>ESTABLISHED': {
    points: [
      [57, 21],
      [39, 21],
      [39, 27],
    ],
    x: 41,
    y: 22,
  },
  'SYN-RECEIVED>FIN-WAIT-1': {
    points: [
      [5, 23],
      [5, 36],
    ],
    x: 7,
    y: 29,
  },
  'ESTABLISHED>FIN-WAIT-1': {
    points: [
      [33, 31],
      [33, 38],
      [16, 38],
    ],
    x: 31,
    y: 32,
    alignRight: true,
  },
  'ESTABLISHED>CLOSE-WAIT': {
    points: [
      [39, 31],
      [39, 38],
      [57, 38],
    ],
    x: 41,
    y: 32,
  },
  'FIN-WAIT-1>FIN-WAIT-2': {
    points: [
      [5, 42],
      [5, 47],
    ],
    x: 7,
    y: 43,
  },
  'FIN-WAIT-1>CLOSING': {
    points: [
      [16, 40],
      [36, 40],
      [36, 47],
    ],
    x: 34,
    y: 43,
    alignRight: true,
  },
  'CLOSE-WAIT>LAST-ACK': {
    points: [
      [64, 42],
      [64, 47],
    ],
    x: 66,
    y: 43,
  },
  'FIN-WAIT-2>TIME-WAIT': {
    points: [
      [5, 51],
      [5, 58],
      [28, 58],
    ],
    x: 7,
    y: 53,
  },
  'CLOSING>TIME-WAIT': {
    points: [
      [36, 51],
      [36, 56],
    ],
    x: 38,
    y: 52,
  },
  'LAST-ACK>CLOSED': {
    points: [
      [64, 51],
      [64, 56],
    ],
    x: 66,
    y: 52,
  },
  'TIME-WAIT>CLOSED': {
    points: [
      [44, 58],
      [57, 58],
    ],
    x: 46,
    y: 60,
  },
}

/** The drawn edges with their ways. @throws Error for a drawn edge that the layout has no way for. */
export function routes(): Route[] {
  return EDGES.filter((edge) => edge.drawn).map((edge) => {
    const way = WAYS[`${edge.from}>${edge.to}`]
    if (way === undefined) throw new Error(`no way drawn from ${edge.from} to ${edge.to}`)
    return { edge, ...way, alignRight: way.alignRight ?? false, inline: way.inline ?? false }
  })
}
