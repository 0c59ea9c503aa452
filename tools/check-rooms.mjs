// The rule of the house: a room imports only from rooms below it, and only through their door (index.ts).
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From the top of the house to the ground (DESIGN: "The house"). */
const ROOMS = ['cli', 'explain', 'drill', 'sim', 'socket', 'trace', 'link', 'ip', 'tcp', 'wire']
/** Rooms that run unchanged in a browser: no Node built-ins. */
const PURE = new Set(['wire', 'tcp', 'ip', 'link', 'trace', 'socket', 'sim'])
/** Files of those rooms that open a device of the machine, and are loaded only when used. */
const DEVICES = /^link\/(tun|tap)/
/**
 * What is for programs of Node: `node:net` (its streams, events, timers), hosts on devices. The door of socket/ does not
 * show it. Programs in virtual time are Node's too; the door of sim/ loads what runs them when one is run.
 */
const NODE_FACE = /^socket\/(net|tun)\/|^sim\/programs\//

/** Doors beside index.ts, for what needs Node. */
const SIDE_DOORS = new Set(['link/tun.js', 'socket/tun/index.js', 'socket/net/index.js'])

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')
const faults = []
for (const room of readdirSync(src, { withFileTypes: true })) {
  if (!room.isDirectory()) continue
  if (!ROOMS.includes(room.name)) faults.push(`src/${room.name}: not a room of the house (${ROOMS.join(' > ')})`)
}
for (const file of sources(src)) check(file)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  console.error(`rooms: ${faults.length} faults`)
  process.exit(1)
}
console.log('rooms: every import goes down the house and through a door')

function check(file) {
  const path = relative(src, file)
  const room = path.split('/')[0]
  const isTest = /\.test(-fixture)?\.ts$/.test(path)
  const text = readFileSync(file, 'utf8')
  const importPattern =
    /^\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  for (const match of text.matchAll(importPattern)) {
    const target = match[1] ?? match[2] ?? match[3]
    const line = text.slice(0, match.index).split('\n').length
    const where = `src/${path}:${line}`
    if (!target.startsWith('.')) {
      if (PURE.has(room) && !isTest && !DEVICES.test(path) && !NODE_FACE.test(path))
        faults.push(`${where}: ${room}/ runs in a browser and imports '${target}'`)
      continue
    }
    const resolved = relative(src, join(dirname(file), target))
    if (resolved.startsWith('..')) {
      if (!isTest && resolved !== '../package.json') faults.push(`${where}: leaves src/ by '${target}'`)
      continue
    }
    const other = resolved.split('/')[0]
    if (other === room || !path.includes('/')) continue
    if (ROOMS.indexOf(other) < ROOMS.indexOf(room)) {
      // a test may stand on the rooms above: it is a user of the room, not a part of it
      if (!isTest) faults.push(`${where}: ${room}/ imports upwards from ${other}/`)
    }
    if (resolved !== `${other}/index.js` && !SIDE_DOORS.has(resolved))
      faults.push(`${where}: enters ${other}/ by '${resolved}', not by its door`)
  }
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}
