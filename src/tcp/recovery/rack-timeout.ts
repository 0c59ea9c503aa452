import type { Connection } from '../connection.js'
import { rearmRetransmit } from '../send/transmit-timers.js'
import type { Instant } from '../time.js'
import { armed } from '../timeouts.js'
import { Timer } from '../timers.js'
import { reduceProportionally } from './cwnd-control.js'
import { enterRecovery } from './enter.js'
import { rackTimeout } from './rack.js'
import { CaState } from './recovery.js'
import { retransmitLost } from './retransmit.js'

/** The reordering timer fired (RFC 8985 6.3): what might have been reordered is lost. */
export function rackExpired(c: Connection, now: Instant): void {
  const { recovery, snd } = c
  const lost = snd.lostSegments
  if (rackTimeout(c, now)) {
    if (recovery.state !== CaState.Recovery) {
      enterRecovery(c, false, now)
      reduceProportionally(c, 1, snd.lostSegments - lost, 0)
    }
    retransmitLost(c, now)
  }
  if (!armed(c, Timer.Retransmit)) rearmRetransmit(c, now)
}
