// An https server: tells who asks, what was sent to it, and serves a file.
//   node https-server.mjs KEY CERTIFICATE FILE
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import https from 'node:https'

const [key, cert, file] = process.argv.slice(2)
const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  response.setHeader('x-client', request.socket.remoteAddress)
  if (request.url === '/none') return response.end()
  if (request.method === 'GET') return createReadStream(file).pipe(response)
  const sha = createHash('sha256')
  request.on('data', (chunk) => sha.update(chunk))
  request.on('end', () => response.end(sha.digest('hex')))
})
server.listen(443, () => console.log('listening'))
process.once('SIGTERM', () => server.close())
