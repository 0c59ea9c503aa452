import type { Segment } from '../../wire/index.js'
import { type Connection, Ready } from '../connection.js'
import { ackNow, acknowledge } from '../receive/acknowledge.js'
import { finish, sendResetFor } from '../reset.js'
import { emitAck } from '../send/emit.js'
import type { Instant } from '../time.js'
import { enterTimeWait, limitFinWait2 } from '../time-wait.js'
import { State } from './state-name.js'
import { setState } from './states.js'

/** Our FIN was acknowledged. True: the connection is over. In FIN-WAIT-1 the rest of the segment comes first. */
export function finWasAcknowledged(c: Connection, now: Instant): boolean {
  if (c.state === State.Closing) {
    enterTimeWait(c, 'rcv ACK of FIN', now)
    return true
  }
  if (c.state === State.LastAck) {
    finish(c, 'rcv ACK of FIN', now)
    return true
  }
  return false
}

/** FIN-WAIT-1: our FIN was acknowledged, and the peer's has not come with that. */
export function toFinWait2(c: Connection, seg: Segment, now: Instant): void {
  setState(c, State.FinWait2, 'rcv ACK of FIN', c.env.observer, now)
  acknowledge(c, now)
  if (c.user !== null) c.user.notify(c, Ready.Writable, now)
  if (!c.orphan) return
  if (c.options.finWait2 !== 0) return limitFinWait2(c, now)
  // the program wanted no waiting: whoever is to send text to nobody hears of that now
  sendResetFor(c.env, seg, now, c, c)
  finish(c, 'timeout: fin-wait-2', now)
}

/** ackArrives found our FIN acknowledged; what follows from it is done when it returns. */
export function finAcknowledged(c: Connection, _now: Instant): void {
  c.finAcknowledged = true
}

/** Eighth step: the peer's FIN is in order; RCV.NXT is behind it (RFC 9293 3.10.7.4). */
export function finArrives(c: Connection, now: Instant): void {
  const { env, user } = c
  c.rcv.finReceived = true
  switch (c.state) {
    case State.SynReceived:
    case State.Established:
      setState(c, State.CloseWait, 'rcv FIN', env.observer, now)
      // Linux lets the program's own FIN carry the ACK if it comes soon; text-arrives.ts has scheduled it
      if (!env.settings.interactiveAcks) ackNow(c)
      break
    case State.FinWait1:
      if (c.finAcknowledged) lastAckSent(c, 'rcv FIN, ACK of FIN', now)
      else {
        setState(c, State.Closing, 'rcv FIN', env.observer, now)
        ackNow(c)
      }
      break
    case State.FinWait2:
      lastAckSent(c, 'rcv FIN', now)
      break
    default:
      // "Remain in" CLOSE-WAIT, CLOSING, LAST-ACK
      ackNow(c)
  }
  if (user !== null) user.notify(c, Ready.Readable | Ready.PeerClosed, now)
}

/** The FIN is acknowledged while the connection can still do so, then only the record is left. */
function lastAckSent(c: Connection, event: string, now: Instant): void {
  emitAck(c, now)
  enterTimeWait(c, event, now)
}
