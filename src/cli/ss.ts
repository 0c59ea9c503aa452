import type { Command } from 'commander'
import { ss } from '../trace/index.js'
import { askEverybody, runtimeDirectory } from './ss-control.js'
import { readHostReport } from './ss-report.js'
import { Complaint, complained } from './up-complaint.js'
import { Interruption } from './up-interrupt.js'

/** How long a view stands before it is drawn anew, ms. */
export const REDRAW = 500

interface SsChoices {
  readonly watch?: boolean
}

/** Adds `estab ss` to the program; the exit code goes to `ended`. */
export function addSs(program: Command, ended: (status: number) => void): void {
  program
    .command('ss')
    .description('the sockets of hosts that are up (estab up, estab nc), as ss -tino shows those of the kernel')
    .argument('[name]', 'of the network interface of one of them')
    .option('-w, --watch', 'draw it again and again')
    .action(async (name: string | undefined, choices: SsChoices) => {
      ended(await complained(() => show(name, choices)))
    })
}

async function show(name: string | undefined, choices: SsChoices): Promise<number> {
  if (choices.watch !== true) {
    process.stdout.write(await listing(name))
    return 0
  }
  const interruption = new Interruption()
  while (!interruption.happened) {
    redraw(await listing(name))
    await interruption.within(REDRAW)
  }
  interruption.forget()
  return 0
}

/** Puts a text in the place of the one before, on a terminal, as much as it has room for; elsewhere behind it. */
export function redraw(text: string): void {
  const { isTTY, rows, columns } = process.stdout
  process.stdout.write(isTTY ? `\x1b[H${screenful(text, rows, columns)}\x1b[J` : `${text}\n`)
}

/** The first lines of a text that fit on a screen, each clearing what stood behind it. */
export function screenful(text: string, rows: number, columns: number): string {
  let left = rows - 2
  let drawn = ''
  for (const line of text.trimEnd().replaceAll('\t', '  ').split('\n')) {
    left -= Math.max(1, Math.ceil(line.length / columns))
    if (left < 0) return `${drawn}…\x1b[K\n`
    drawn += `${line}\x1b[K\n`
  }
  return drawn
}

async function listing(name: string | undefined): Promise<string> {
  const hosts: { title: string; text: string }[] = []
  for (const { interfaceName, pid, text } of await askEverybody()) {
    if (name !== undefined && interfaceName !== name) continue
    const report = readHostReport(text)
    if (report !== null) hosts.push({ title: `${report.title}  (process ${pid})`, text: ss(report.sockets) })
  }
  if (hosts.length === 0) {
    const which = name === undefined ? '' : ` with the interface ${name}`
    throw new Complaint(`No \`estab up\`${which} is running (none answers in ${runtimeDirectory()}).`, 1)
  }
  if (hosts.length === 1) return hosts[0]!.text
  return hosts.map(({ title, text }) => `${title}\n${text}`).join('\n')
}
