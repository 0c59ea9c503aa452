import { ECE, type Segment } from '../../wire/index.js'
import type { Environment } from '../environment.js'
import { SynEcn } from '../options/ecn.js'
import { timestampAt, timestampOffset } from '../options/timestamps.js'
import type { Instant, Millis } from '../time.js'
import type { Listener } from './listener.js'
import { checkSynCookie, cookieTimestamp, makeSynCookie, optionsOfCookie } from './syn-cookies.js'
import { cookieTerms, SynEntry, synTerms } from './syn-queue.js'

/** Cookies are looked for this long after the SYN queue was last too full, ms. */
const RECENTLY: Millis = 128_000

/** Whether an ACK for a listener may be the answer to a SYN cookie. */
export function synCookiesWanted(env: Environment, overflowedAt: Instant, now: Instant): boolean {
  return env.settings.synCookies > 0 && now - overflowedAt <= RECENTLY
}

/** Answers a SYN with an entry that is not kept: the SYN-ACK carries all of it (RFC 4987 3.6). */
export function answerWithCookie(listener: Listener, seg: Segment, now: Instant): void {
  const { env } = listener
  const { settings } = env
  const fallback = seg.source.isIPv4 ? settings.defaultMss4 : settings.defaultMss6
  const iss = makeSynCookie(env, seg, seg.mss > 0 ? seg.mss : fallback, now)
  let terms = synTerms(settings, seg)
  // without timestamps there is no room to remember these
  if (!seg.hasTimestamps || settings.timestamps === 0) terms = cookieTerms(Math.max(seg.mss, 0), -1, false, false)
  const entry = new SynEntry(listener, seg, seg.seq, iss, terms)
  entry.ecn = entry.tsOk && entry.ecn & SynEcn.Classic ? entry.ecn : 0
  let tsVal = 0
  if (entry.tsOk) {
    const clock = timestampAt(now, 0)
    const value = cookieTimestamp(clock, entry.windowScale, entry.sackOk, entry.ecn !== 0)
    tsVal = (value + entry.tsOffset) | 0
  }
  entry.sendSynAck(false, now, tsVal)
}

/** The entry that an ACK tells of; null: it acknowledges no cookie of ours. */
export function synEntryOfCookie(listener: Listener, seg: Segment, now: Instant): SynEntry | null {
  const { env } = listener
  const mss = checkSynCookie(env, seg, now)
  if (mss === 0) return null
  let terms = cookieTerms(mss, -1, false, false)
  let ecn = 0
  if (seg.hasTimestamps && env.settings.timestamps > 0) {
    const told = optionsOfCookie((seg.tsEcr - timestampOffset(env, seg.destination, seg.source)) | 0)
    terms = cookieTerms(mss, told.windowScale, told.sack, true)
    if (told.ecn && (seg.flags & ECE) === 0) ecn = SynEcn.Classic
  }
  const entry = new SynEntry(listener, seg, (seg.seq - 1) | 0, (seg.ack - 1) | 0, terms)
  entry.ecn = ecn
  return entry
}
