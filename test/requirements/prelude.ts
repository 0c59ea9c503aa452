import { type DrillTest, drill } from '../../src/drill/index.js'
import { PROFILE_NAMES, type ProfileName } from '../../src/tcp/index.js'

/** What a script of this folder begins with: descriptor 3 is connected to a peer with an MSS of 1000 and no other options. */
export const connected = (window = 65_535): string => `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
 +.1 < S. 0:0(0) ack 1 win ${window} <mss 1000>
  +0 > . 1:1(0) ack 1
`

/** Descriptor 4 was accepted from a listener; the peer has an MSS of 1000 and no other options. */
export const accepted = (window = 65_535): string => `
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win ${window} <mss 1000>
  +0 > S. 0:0(0) ack 1 <...>
 +.1 < . 1:1(0) ack 1 win ${window}
  +0 accept(3, ..., ...) = 4
`

/** A script that every system must follow, each under its own name; `profiles` when not all do. */
export function everywhere(script: string, profiles: readonly ProfileName[] = PROFILE_NAMES): DrillTest {
  const tests = profiles.map((profile) => [profile, drill({ profile })`${script}`] as const)
  return () => {
    for (const [profile, run] of tests) {
      try {
        run()
      } catch (error) {
        throw new Error(`profile ${profile}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}
