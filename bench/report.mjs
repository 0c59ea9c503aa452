// The figures as text, and as the tables that stand between markers in docs/performance.md and both READMEs.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What ours is compared with, by the name that a row uses. */
const PEERS = {
  loopback: { en: 'node:net, kernel loopback', zh: 'node:net，内核环回' },
  veth: { en: 'node:net, kernel veth', zh: 'node:net，内核 veth' },
  iperf3: { en: 'iperf3, kernel veth', zh: 'iperf3，内核 veth' },
  tcpip: { en: 'tcpip (lwIP in WASM)', zh: 'tcpip（WASM 中的 lwIP）' },
}

const WORDS = {
  en: {
    work: 'work',
    ours: 'Estab',
    target: 'to reach',
    peers: 'the peer in the same run',
    ratio: 'ratio',
    reached: 'reached',
  },
  zh: { work: '工作', ours: 'Estab', target: '目标', peers: '同一次运行中的对照', ratio: '比值', reached: '达到' },
}

function quantity(value, unit) {
  if (value === undefined) return ''
  if (typeof value === 'string') return '—'
  const digits = unit === 'Gbit/s' || unit === 'µs' ? (value < 10 ? 2 : 1) : 0
  const text = value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
  return unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`
}

function target({ unit, atLeast, atMost, goal, atLeastOf }) {
  const first = atLeastOf
    ? `≥ ${atLeastOf[1]} × ${atLeastOf[0]}`
    : atLeast !== undefined
      ? `≥ ${plain(atLeast)}`
      : atMost !== undefined
        ? `≤ ${plain(atMost)}`
        : ''
  return goal === undefined
    ? first
    : `${first} (${typeof goal === 'number' ? plain(goal) : goal})${unit === 'octets' ? '' : ''}`
}

const plain = (value) => value.toLocaleString('en')

/** Whether the least is reached: true, false, null when there is no least or no number. */
export function isReached({ ours, peers, atLeast, atMost, atLeastOf }) {
  if (typeof ours !== 'number') return null
  if (atLeastOf) return typeof peers[atLeastOf[0]] === 'number' ? ours >= peers[atLeastOf[0]] * atLeastOf[1] : null
  if (atLeast !== undefined) return ours >= atLeast
  return atMost === undefined ? null : ours <= atMost
}

const mark = (row) => ({ true: 'yes', false: 'no', null: '' })[isReached(row)]

function ratios({ ours, peers }) {
  return Object.entries(peers)
    .filter(([, value]) => typeof value === 'number' && typeof ours === 'number')
    .map(([name, value]) => [name, ours / value])
}

export function tableHead() {
  return `${'row'.padEnd(24)}${'estab'.padStart(16)}${'to reach'.padStart(26)}${'reached'.padStart(9)}   the peer in the same run`
}

export function rowText(row) {
  const own = `${row.name.padEnd(24)}${quantity(row.ours, row.unit).padStart(16)}${target(row).padStart(26)}${mark(row).padStart(9)}`
  const peers = Object.entries(row.peers).map(([name, value]) => {
    const ratio =
      typeof value === 'number' && typeof row.ours === 'number' ? ` (× ${(row.ours / value).toFixed(2)})` : ''
    return `${PEERS[name]?.en ?? name}: ${typeof value === 'string' ? value : quantity(value, row.unit)}${ratio}`
  })
  const why = typeof row.ours === 'string' ? [row.ours] : []
  return `${own}   ${[...why, ...peers].join('; ')}`.trimEnd()
}

/** Only the rows that have something to reach. */
export const readmeMarkdown = (results, language) =>
  tableMarkdown(
    { ...results, rows: results.rows.filter(({ atLeast, atMost, atLeastOf }) => atLeast ?? atMost ?? atLeastOf) },
    language,
  )

export function tableMarkdown({ node, cpu, cores, kernel, rounds, rows }, language) {
  const words = WORDS[language]
  const about =
    language === 'en'
      ? `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}; ${rounds === 1 ? 'measured once, for a look' : `medians of ${rounds}`}; rates are per second of CPU time, those over TUN of time.`
      : `${cpu}，${cores} 核，Linux ${kernel}，Node ${node}；${rounds === 1 ? '仅测一次，供粗略参考' : `${rounds} 次测量的中位数`}；速率按每秒 CPU 时间计，经 TUN 的按时间计。`
  const lines = [
    about,
    '',
    `| ${words.work} | ${words.ours} | ${words.target} | ${words.peers} | ${words.ratio} |`,
    '|---|---:|---:|---|---:|',
  ]
  for (const row of rows) {
    const reached = isReached(row)
    const own = reached === true ? `**${quantity(row.ours, row.unit)}**` : quantity(row.ours, row.unit)
    const peers = Object.entries(row.peers).filter(([, value]) => typeof value === 'number')
    const theirs = peers
      .map(([name, value]) => `${PEERS[name]?.[language] ?? name}: ${quantity(value, row.unit)}`)
      .join('<br>')
    const compared = ratios(row)
      .map(([, ratio]) => ratio.toFixed(2))
      .join('<br>')
    lines.push(
      `| ${language === 'zh' ? (row.zh ?? row.title) : row.title} | ${own} | ${target(row)} | ${theirs} | ${compared} |`,
    )
  }
  return lines.join('\n')
}

export function growthText({ title, unit, over, values }) {
  const points = Object.keys(values)
  const width = (point) => Math.max(12, point.length + 2)
  const head = over.padEnd(26) + points.map((point) => point.padStart(width(point))).join('')
  const line = unit.padEnd(26) + points.map((point) => number(values[point]).padStart(width(point))).join('')
  return `${title}\n${head}\n${line}`
}

export function growthMarkdown({ growth }, language) {
  return growth
    .map(({ title, zh, unit, over, values }) => {
      const points = Object.keys(values)
      const name = language === 'zh' ? (zh ?? title) : title
      return [
        `${name}`,
        '',
        `| ${over} | ${points.join(' | ')} |`,
        `|---|${points.map(() => '---:|').join('')}`,
        `| ${unit} | ${points.map((point) => number(values[point])).join(' | ')} |`,
      ].join('\n')
    })
    .join('\n\n')
}

const number = (value) => (typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 2 }) : '—')

const MARKED = /(<!-- bench:(\w+) -->\n)[\s\S]*?(\n<!-- \/bench:\2 -->)/g

/** Puts the tables between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; answers the files it changed. */
export function fillMarkers(results, root) {
  const tables = { table: tableMarkdown, readme: readmeMarkdown, growth: growthMarkdown }
  return [
    ['docs/performance.md', 'en'],
    ['README.md', 'en'],
    ['README.zh-CN.md', 'zh'],
  ]
    .filter(([file, language]) => {
      const path = join(root, file)
      const before = readFileSync(path, 'utf8')
      const after = before.replace(MARKED, (whole, open, name, end) => {
        const table = Object.hasOwn(tables, name) ? tables[name](results, language) : ''
        // what was not measured stays what it was
        return table === '' ? whole : `${open}\n${table}\n${end}`
      })
      if (after !== before) writeFileSync(path, after)
      return after !== before
    })
    .map(([file]) => file)
}
