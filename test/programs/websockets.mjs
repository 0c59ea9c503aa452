// A ws client that tries what echo-websockets.mjs does, and prints what came of it as JSON.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

const url = process.argv[2]
const sha = (data) => createHash('sha256').update(data).digest('hex')

async function open() {
  const socket = new WebSocket(url, { maxPayload: 64e6 })
  socket.on('error', () => {})
  // ours is 'open' before the first message, and both may be in one segment
  const [[hello]] = await Promise.all([once(socket, 'message'), once(socket, 'open')])
  return { socket, hello: String(hello) }
}

const { socket, hello } = await open()

// many at once, in order
const many = 10_000
const received = []
const all = new Promise((resolve) => {
  socket.on('message', function take(data) {
    if (received.push(String(data)) < many) return
    socket.off('message', take)
    resolve()
  })
})
for (let i = 0; i < many; i++) socket.send(`message ${i}`)
await all
const inOrder = received.every((text, i) => text === `message ${i}`)

// one of 20 MB, and one in pieces
const large = randomBytes(20e6)
socket.send(large)
const [back, isBinary] = await once(socket, 'message')
socket.send('in ', { fin: false })
socket.send('pieces', { fin: true })
const [pieces] = await once(socket, 'message')

socket.ping('still there?')
const [pong] = await once(socket, 'pong')
socket.send('close, please')
const [code, reason] = await once(socket, 'close')

const second = await open()
second.socket.send('break off, please')
const [broken] = await once(second.socket, 'close')

const largeCame = isBinary && sha(back) === sha(large)
const closed = `${code} ${reason}`
console.log(JSON.stringify({ hello, inOrder, largeCame, pieces: String(pieces), pong: String(pong), closed, broken }))
