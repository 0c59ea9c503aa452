// Works with redis-server through redis, as programs do, and prints what came of it as JSON.
//   node redis.mjs HOST PORT TLSPORT CERTIFICATE
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createClient, RESP_TYPES } from 'redis'

const [host, port, securePort, certificate] = process.argv.slice(2)
const results = {}
const client = createClient({ socket: { host, port: Number(port) } })
client.on('error', () => {})
await client.connect()
results.ping = await client.ping()
await client.set('key', 'värde')
results.value = await client.get('key')
results.address = /addr=([\d.]+):/.exec(await client.sendCommand(['CLIENT', 'INFO']))[1]

// 20,000 commands at once: they leave as a pipeline
const answers = await Promise.all(Array.from({ length: 20_000 }, () => client.incr('count')))
results.inOrder = answers.every((answer, i) => answer === i + 1)
results.transaction = await client.multi().set('a', '1').incr('a').get('a').exec()

// 50 values of 1 MB, there and back
const octets = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
const values = Array.from({ length: 50 }, () => randomBytes(1e6))
await Promise.all(values.map((value, i) => client.set(`value ${i}`, value)))
const back = await Promise.all(values.map((_, i) => octets.get(`value ${i}`)))
const sha = (all) => all.reduce((hash, one) => hash.update(one), createHash('sha256')).digest('hex')
results.values = sha(back) === sha(values)

// publish and subscribe, each on a connection of its own
const subscriber = client.duplicate()
subscriber.on('error', () => {})
await subscriber.connect()
const heard = []
const all = new Promise((resolve) => {
  subscriber.subscribe('news', (text) => {
    if (heard.push(text) === 1000) resolve()
  })
})
while ((await client.publish('news', 'item')) === 0);
for (let i = 1; i < 1000; i++) client.publish('news', `item ${i}`)
await all
results.heard = `${heard.length}, the last of them ${heard.at(-1)}`

// its connection is ended by the server: the client connects again
const other = client.duplicate()
other.on('error', () => {})
await other.connect()
const before = await other.sendCommand(['CLIENT', 'ID'])
await client.sendCommand(['CLIENT', 'KILL', 'ID', String(before)])
let after = null
while (after === null) after = await other.sendCommand(['CLIENT', 'ID']).catch(() => null)
results.connectedAgain = after !== before

const secure = createClient({
  socket: { host, port: Number(securePort), tls: true, ca: readFileSync(certificate) },
})
secure.on('error', () => {})
await secure.connect()
results.overTls = (await secure.get('key')) === 'värde'
for (const each of [client, subscriber, other, secure]) await each.close()

const refused = createClient({ socket: { host, port: 1, reconnectStrategy: false } })
refused.on('error', () => {})
results.refused = await refused.connect().catch(({ code }) => code)
console.log(JSON.stringify(results))
