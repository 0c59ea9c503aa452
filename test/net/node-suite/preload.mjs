// Loaded before a test of Node's suite: `net` is Estab's, over the loopback of a host in real time.
import dns from 'node:dns'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

const built = (path) => import(pathToFileURL(`${process.env.ESTAB_BUILT}/${path}`).href)
const { Host, linux, Random, RealTime } = await built('index.js')
const { createNet, nodeTime, replaceNodeNet } = await built('socket/net/index.js')

void process.stdout
void process.stderr
const time = new RealTime(nodeTime())
const host = new Host({ settings: linux(), random: new Random(Math.floor(performance.now() * 1000)) })
time.drive(host)
replaceNodeNet(createNet(host, { now: () => time.now, lookup: (...args) => dns.lookup(...args) }))
