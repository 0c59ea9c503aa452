import { syncBuiltinESMExports } from 'node:module'
import { overlayNodeNet } from '../../socket/net/index.js'
import { tellVirtualTime } from './clocks.js'
import { dateHeaders, keepConnectionsApart, loadFetch } from './http.js'
import { virtualRequestTimeouts } from './http-timeouts.js'
import { answerNames } from './names.js'
import type { Undo } from './put.js'
import type { Run } from './run.js'
import { here } from './scope.js'

/** Puts the simulated hosts under what programs import, for code that lives on one; the rest of the process goes on. */
export function putInPlace(run: Run): Undo {
  const net = overlayNodeNet(() => here()?.net ?? null)
  const unwatch = run.work.watch()
  loadFetch()
  run.work.begin()
  const undo = [
    unwatch,
    tellVirtualTime(run),
    answerNames(),
    keepConnectionsApart(),
    dateHeaders(),
    virtualRequestTimeouts(),
  ]
  syncBuiltinESMExports()
  return () => {
    for (const back of undo.reverse()) back()
    net.end()
    syncBuiltinESMExports()
  }
}
