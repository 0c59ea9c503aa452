// A ws server that gives every message back, closes on 'close, please' and breaks off on 'break off, please'.
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 8080, host: process.argv[2], maxPayload: 64e6 })
server.on('listening', () => console.log('listening'))
server.on('connection', (socket, request) => {
  socket.send(`hello, ${request.socket.remoteAddress}`)
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => {
    const text = String(isBinary ? '' : data)
    if (text === 'close, please') socket.close(4001, 'as you wish')
    else if (text === 'break off, please') request.socket.resetAndDestroy()
    else socket.send(data, { binary: isBinary })
  })
})
process.once('SIGTERM', () => {
  for (const client of server.clients) client.close()
  server.close()
})
