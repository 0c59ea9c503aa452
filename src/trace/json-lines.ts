import { flagNames, optionsText, type SegmentSummary, segmentText } from '../wire/index.js'
import type { Subject, TraceEvent } from './events.js'

/** One event as one line of JSON, without the line's end. Times in ms; sequence numbers as on the wire. */
export function jsonLine(event: TraceEvent): string {
  const { at, host, type, subject } = event
  const head = { at, host, event: type, ...(subject === null ? {} : { id: subject.id, ...fourTuple(subject) }) }
  switch (event.type) {
    case 'sent':
      return JSON.stringify({
        ...head,
        ...segmentFields(event.segment),
        ...(event.state === null ? {} : { state: event.state }),
        ...(event.retransmission ? { retransmission: true } : {}),
      })
    case 'received':
      return JSON.stringify({
        ...head,
        ...segmentFields(event.segment),
        ...(event.state === null ? {} : { state: event.state }),
      })
    case 'dropped':
      return JSON.stringify({
        ...head,
        reason: event.reason,
        ...(event.segment === null ? {} : segmentFields(event.segment)),
      })
    case 'state':
      return JSON.stringify({ ...head, from: event.from, to: event.to, cause: event.cause })
    case 'timer-armed':
      return JSON.stringify({ ...head, timer: event.timer, due: event.due })
    case 'timer-fired':
    case 'timer-cancelled':
      return JSON.stringify({ ...head, timer: event.timer })
    case 'call':
      return JSON.stringify({ ...head, call: event.call, result: event.result })
    case 'variables':
      return JSON.stringify({ ...head, values: event.values })
  }
}

/** All events, one a line. */
export function jsonLines(events: Iterable<TraceEvent>): string {
  let text = ''
  for (const event of events) text += `${jsonLine(event)}\n`
  return text
}

function fourTuple(subject: Subject) {
  return {
    local: `${subject.local}`,
    localPort: subject.localPort,
    remote: `${subject.remote}`,
    remotePort: subject.remotePort,
  }
}

function segmentFields(segment: SegmentSummary) {
  return {
    segment: segmentText(segment),
    source: `${segment.source}`,
    sourcePort: segment.sourcePort,
    destination: `${segment.destination}`,
    destinationPort: segment.destinationPort,
    seq: segment.seq,
    ack: segment.ack,
    flags: flagNames(segment.flags),
    window: segment.window,
    length: segment.textLength,
    options: optionsText(segment.options, 0, segment.options.length),
  }
}
