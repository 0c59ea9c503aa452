import { expect, test } from 'vitest'
import { STATE_NAMES } from './state-name.js'
import { EDGES, unreachableStates } from './states.js'
import { statesAscii, statesMermaid, statesSvg, statesTable } from './states-drawn.js'
import { routes } from './states-layout.js'

test('every state is reached from CLOSED', () => {
  expect(unreachableStates()).toEqual([])
})

test('every edge stands in the table and in the Mermaid diagram', () => {
  expect(statesTable().trimEnd().split('\n')).toHaveLength(EDGES.length + 2)
  expect(statesMermaid().match(/-->/g)).toHaveLength(EDGES.length + 1)
})

test('the pictures show every state, and every edge of figure 5 with its event', () => {
  const ascii = statesAscii()
  const svg = statesSvg()
  for (const name of STATE_NAMES) {
    expect(ascii).toContain(name)
    expect(svg).toContain(`data-state="${name}"`)
  }
  for (const { edge } of routes()) {
    expect(ascii).toContain(edge.event)
    expect(svg).toContain(`data-from="${edge.from}" data-to="${edge.to}"`)
  }
})

test('no text of the picture is written over by a line or a box', () => {
  const rows = statesAscii().split('\n')
  for (const { edge, x, y, alignRight, inline } of routes()) {
    const action = edge.action === '' ? 'x' : edge.action
    const width = inline ? 0 : Math.max(edge.event.length, action.length)
    const left = alignRight ? x - width + 1 : x
    if (inline) expect(rows[y]!.slice(left)).toContain(`${edge.event} / ${action}`)
    else {
      expect(rows[y]!.slice(left, left + edge.event.length)).toBe(edge.event)
      expect(rows[y + 2]!.slice(left, left + action.length)).toBe(action)
    }
  }
})
