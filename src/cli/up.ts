import { statSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { ss } from '../trace/index.js'
import { REDRAW, redraw } from './ss.js'
import { socketsOf } from './ss-report.js'
import { Complaint, complained } from './up-complaint.js'
import { HostUp } from './up-host.js'
import { farewell, Interruption } from './up-interrupt.js'
import { type HostChoices, withHostOptions } from './up-options.js'
import { SERVICES, type ServiceName, serve } from './up-servers.js'

interface UpChoices extends HostChoices {
  readonly serve?: readonly ServiceName[]
  readonly root?: string
  readonly watch?: boolean
}

/** Adds `estab up` to the program; the exit code goes to `ended`. */
export function addUp(program: Command, ended: (status: number) => void): void {
  withHostOptions(program.command('up'))
    .description('bring a host up on a network device of this machine, until Ctrl-C closes its connections')
    .option('--serve <services>', `any of ${servicesText}, with commas between`, toServices)
    .option('--root <directory>', 'what http serves (default: a page)')
    .option('--watch', 'show the sockets')
    .action(async (choices: UpChoices) => {
      ended(await complained(() => runUp(choices)))
    })
}

const servicesText = Object.entries(SERVICES)
  .map(([name, port]) => `${name} (port ${port})`)
  .join(', ')

function toServices(text: string): ServiceName[] {
  const names = text.split(',')
  const stray = names.find((name) => !Object.hasOwn(SERVICES, name))
  if (stray !== undefined) throw new InvalidArgumentError(`'${stray}' is none of ${Object.keys(SERVICES).join(', ')}.`)
  return [...new Set(names)] as ServiceName[]
}

async function runUp(choices: UpChoices): Promise<number> {
  const services = choices.serve ?? []
  if (choices.root !== undefined) {
    if (!services.includes('http')) throw new Complaint('--root is for --serve http.', 2)
    const found = statSync(choices.root, { throwIfNoEntry: false })
    if (found?.isDirectory() !== true) throw new Complaint(`--root ${choices.root} is not a directory.`, 2)
  }
  const interruption = new Interruption()
  const up = await HostUp.start(choices)
  let redrawing: NodeJS.Timeout | undefined
  try {
    for (const service of services) serve(up, service, choices.root ?? null)
    process.stdout.write(`${describe(up, choices)}\n`)
    let notice = ''
    const draw = () => redraw(notice + ss(socketsOf(up.host, up.time.now)))
    if (choices.watch === true) redrawing = setInterval(draw, REDRAW)
    const taken = await Promise.race([interruption.nth(1).then(() => null), up.device.closed])
    if (taken !== null) throw new Complaint(taken.message, 1)
    if (up.holds.size > 0) {
      notice = `closing ${connections(up.holds.size)}, which their peers close too; Ctrl-C again resets them\n`
      if (redrawing === undefined) process.stderr.write(notice)
      else draw()
    }
    return (await farewell(up, interruption)) ? 0 : 1
  } finally {
    clearInterval(redrawing)
    interruption.forget()
    await up.stop()
  }
}

const connections = (count: number): string => (count === 1 ? '1 connection' : `${count} connections`)

function describe(up: HostUp, choices: UpChoices): string {
  const { device, ends } = up
  const wires = ends.ours.map(
    ({ address, prefixLength }, i) => `${address}/${prefixLength}, the kernel is ${ends.kernels[i]!.address}`,
  )
  const served = (choices.serve ?? []).map((service) => `${service} ${SERVICES[service]}`)
  const serving = served.length > 0 ? `; serves ${served.join(', ')}` : ''
  return `${device.name} is up: ${wires.join('; ')}; ${choices.profile}, MTU ${device.mtu}${serving}. Ctrl-C closes.`
}
