// Fetches over http and https, as programs do: node:http, node:https, fetch, undici.
//   node fetching.mjs HOST CERTIFICATE   prints one JSON line for each way
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { Agent, request } from 'undici'

const [host, certificate] = process.argv.slice(2)
const ca = readFileSync(certificate)

async function sha256(body) {
  const sha = createHash('sha256')
  for await (const chunk of body) sha.update(chunk)
  return sha.digest('hex')
}

const tell = (way, status, sha, client) => console.log(JSON.stringify({ way, status, sha, client }))

async function getTwice(way, { get }, agent, url) {
  let ports = new Set()
  for (let i = 0; i < 2; i++) {
    const response = await new Promise((resolve, reject) => get(url, { agent, ca }, resolve).on('error', reject))
    ports = ports.add(response.socket.localPort)
    const { 'x-client': client } = response.headers
    const sha = await sha256(response)
    if (i === 1) tell(ports.size === 1 ? way : `${way}, twice`, response.statusCode, sha, client)
  }
  agent.destroy()
}

await getTwice('http', http, new http.Agent({ keepAlive: true, maxSockets: 1 }), `http://${host}:8080/file`)
await getTwice('https', https, new https.Agent({ keepAlive: true, maxSockets: 1 }), `https://${host}:8443/file`)

const fetched = await fetch(`http://${host}:8080/file`)
tell('fetch', fetched.status, await sha256(fetched.body), fetched.headers.get('x-client'))

const dispatcher = new Agent({ connect: { ca }, connections: 4, pipelining: 1 })
for (const url of [`http://${host}:8080/file`, `https://${host}:8443/file`]) {
  const all = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { statusCode, headers, body } = await request(url, { dispatcher })
      return [statusCode, await sha256(body), headers['x-client']].join(' ')
    }),
  )
  const [status, sha, client] = [...new Set(all)].join(' ').split(' ')
  tell(`undici ${new URL(url).protocol}`, Number(status), sha, client)
}
await dispatcher.close()

const refused = await request(`http://${host}:8081/`).catch((error) => error)
console.log(JSON.stringify({ way: 'refused', status: refused.code }))
const unknown = await new Promise((resolve) => https.get(`https://${host}:8443/`, resolve).on('error', resolve))
console.log(JSON.stringify({ way: 'certificate of nobody', status: unknown.code }))
