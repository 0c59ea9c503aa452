export { type Conversation, conversations, type Endpoint as ConversationEnd, endpointText } from './conversations.js'
export { clip, displayWidth, padEnd, padStart } from './display-width.js'
export type {
  Called,
  Dropped,
  SegmentReceived,
  SegmentSent,
  StateChanged,
  Subject,
  TimerArmed,
  TimerFired,
  TraceEvent,
  VariablesChanged,
} from './events.js'
export { jsonLine, jsonLines } from './json-lines.js'
export { type LadderOptions, ladder } from './ladder.js'
export { TraceLog, type TraceOptions } from './log.js'
export { packetReceived, packetSent } from './packets.js'
export { type PcapngOptions, pcapng } from './pcapng.js'
export {
  type CapturedPacket,
  interfaceBlock,
  LINKTYPE_RAW,
  packetBlock,
  sectionHeaderBlock,
} from './pcapng-blocks.js'
export { type SocketSnapshot, SS_STATES, type SsOptions, ss } from './ss.js'
export { connectionVariables, type Variables } from './variables.js'
