// Works with PostgreSQL through pg, as programs do, and prints what came of it as JSON.
//   node postgres.mjs HOST PORT PASSWORD CERTIFICATE
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import pg from 'pg'

const [host, port, password, certificate] = process.argv.slice(2)
const where = { host, port: Number(port), user: 'postgres', password, database: 'postgres' }
const results = {}

const client = new pg.Client(where)
await client.connect()
const { rows } = await client.query('SELECT $1::int + 1 AS sum, inet_client_addr() AS address, $2::jsonb AS json', [
  41,
  '{"a": [1, 2]}',
])
results.row = rows[0]
results.error = await client.query('SELECT 1 / 0').catch(({ code }) => code)

// a large result: 300,000 rows
const large = await client.query("SELECT n, repeat('x', n % 100) AS text FROM generate_series(1, 300000) AS n")
results.rows = large.rows.length
results.allRight = large.rows.every(({ n, text }, i) => n === i + 1 && text.length === n % 100)

// 20 MB there and back
const octets = randomBytes(20e6)
await client.query('CREATE TABLE kept (octets bytea)')
await client.query('INSERT INTO kept VALUES ($1)', [octets])
const kept = await client.query('SELECT octets, md5(octets) AS md5 FROM kept')
results.kept = kept.rows[0].octets.equals(octets) && kept.rows[0].md5 === createHash('md5').update(octets).digest('hex')

// COPY, 400,000 rows there and back
class Copy {
  #text
  #rows
  sha = createHash('sha256')

  /** @param rows pieces to be sent, for COPY … FROM */
  constructor(text, rows, callback) {
    this.#text = text
    this.#rows = rows
    this.callback = callback
  }

  submit(connection) {
    connection.query(this.#text)
  }

  async handleCopyInResponse(connection) {
    for (const piece of this.#rows) {
      connection.sendCopyFromChunk(piece)
      if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain')
    }
    connection.endCopyFrom()
  }

  handleCopyData({ chunk }) {
    this.sha.update(chunk)
  }

  handleCommandComplete() {}

  handleReadyForQuery() {
    this.callback(null, this.sha.digest('hex'))
  }

  handleError(error) {
    this.callback(error)
  }
}
const copy = (text, rows = []) =>
  new Promise((resolve, reject) => {
    client.query(new Copy(text, rows, (error, sha) => (error ? reject(error) : resolve(sha))))
  })
const pieces = Array.from({ length: 400 }, (_, i) =>
  Buffer.from(Array.from({ length: 1000 }, (_, j) => `${i * 1000 + j}\t${'copied '.repeat(10)}\n`).join('')),
)
await client.query('CREATE TABLE copied (n int, text text)')
await copy('COPY copied FROM STDIN', pieces)
const copiedBack = await copy('COPY copied TO STDOUT')
results.copied = copiedBack === createHash('sha256').update(Buffer.concat(pieces)).digest('hex')

// 3,000 statements in one transaction, prepared once, each a round trip
await client.query('CREATE TABLE counted (n int)')
await client.query('BEGIN')
for (let n = 0; n < 3000; n++) {
  await client.query({ name: 'count', text: 'INSERT INTO counted VALUES ($1)', values: [n] })
}
await client.query('COMMIT')
results.sum = (await client.query('SELECT sum(n)::int AS sum FROM counted')).rows[0].sum

// notices from another connection
const told = once(client, 'notification')
await client.query('LISTEN news')

const pool = new pg.Pool({ ...where, max: 8 })
const pids = await Promise.all(Array.from({ length: 8 }, () => pool.query('SELECT pg_backend_pid(), pg_sleep(0.1)')))
results.connections = new Set(pids.map(({ rows: [{ pg_backend_pid }] }) => pg_backend_pid)).size
await pool.query("NOTIFY news, 'good'")
results.news = (await told)[0].payload

// over TLS, which begins within the connection
const secure = new pg.Client({ ...where, ssl: { ca: readFileSync(certificate) } })
await secure.connect()
const tls = await secure.query('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
results.tls = tls.rows[0].version
const secureRows = await secure.query("SELECT repeat('y', 1000) AS text FROM generate_series(1, 10000)")
results.secureRows = secureRows.rows.filter(({ text }) => text === 'y'.repeat(1000)).length
await secure.end()

// the server ends a connection
const victim = new pg.Client(where)
await victim.connect()
const ended = once(victim, 'error')
// and another one when the connection ends, which it was not asked to
victim.on('error', () => {})
const {
  rows: [{ pid }],
} = await victim.query('SELECT pg_backend_pid() AS pid')
await pool.query('SELECT pg_terminate_backend($1)', [pid])
results.terminated = (await ended)[0].code

await pool.end()
await client.end()
results.wrongPassword = await new pg.Client({ ...where, password: 'wrong' }).connect().catch(({ code }) => code)
console.log(JSON.stringify(results))
