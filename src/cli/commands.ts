import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { FlagError, IP_VERSIONS, splitCommandLine } from '../drill/index.js'
import { PROFILE_NAMES } from '../tcp/index.js'
import { type Against, type DrillChoices, drillFiles } from './drill.js'
import { addNc } from './nc.js'
import { listScenarios, runScenario, tour } from './scenarios.js'
import { addSs } from './ss.js'
import { printStates } from './states.js'
import { addUp } from './up.js'

/** What a mistake in the command line ends with; scripts that fail end with 1. */
const WRONG_USE = 2

/** Runs `estab` with these words; gives the exit code: 0 well, 1 something failed, 2 wrong use. */
export async function run(words: readonly string[]): Promise<number> {
  let status = 0
  const program = new Command('estab')
    .description('A complete TCP that you can see and steer')
    .version(version())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })

  const profile = () => new Option('--profile <name>', 'whose TCP').choices([...PROFILE_NAMES]).default('linux')

  program
    .command('drill')
    .description(
      "run packetdrill scripts in virtual time or against the kernel; packetdrill's own flags are taken too, see packetdrill(1)",
    )
    .argument('<paths...>', 'scripts, or directories of scripts')
    .addOption(profile())
    .addOption(
      new Option(
        '--variants <which>',
        'IP versions to run as: auto, as the runners of the suites do; all that fit; or one',
      )
        .choices(['auto', 'all', ...IP_VERSIONS])
        .default('auto'),
    )
    .addOption(
      new Option('--against <targets>', 'run on our TCP in virtual time (estab), on this kernel (linux), or compare')
        .choices(['estab', 'linux', 'estab,linux'])
        .default('estab'),
    )
    .option('--json', 'print one JSON object')
    .option('--pcap <file>', 'write what was sent and received as pcapng')
    .option('--ladder', 'draw each connection')
    .option('--seed <number>', 'of everything random', Number, 1)
    // packetdrill's own, taken out of the words before these are parsed: named here for --help
    .option('-v, --verbose', 'print every call and packet')
    .option('-D, --define <NAME=VALUE>', 'what a symbol of the scripts stands for; may be repeated')
    .action(async (paths: string[], choices: Omit<DrillChoices, 'against'> & { against: string }) => {
      const against = choices.against.split(',') as Against[]
      status = await drillFiles(paths, { ...choices, against, flags: settings })
    })

  program
    .command('states')
    .description('print the states of TCP and how they follow each other')
    .addOption(new Option('--format <format>').choices(['table', 'ascii', 'mermaid', 'svg']).default('table'))
    .action(({ format }: { format: string }) => printStates(format))

  const scenario = program.command('scenario').description('the gallery: a script for every state and every way to it')
  scenario
    .command('list')
    .description('names and titles')
    .action(() => listScenarios())
  scenario
    .command('run')
    .argument('<name>')
    .addOption(profile())
    .option('--ladder', 'draw the connection')
    .action((name: string, choices: { profile: DrillChoices['profile']; ladder?: boolean }) => {
      status = runScenario(name, choices)
    })

  program
    .command('tour', { hidden: true })
    .description('a handshake and a close, drawn; then all scenarios')
    .action(async () => {
      status = await tour()
    })

  const ended = (code: number) => {
    status = code
  }
  addUp(program, ended)
  addNc(program, ended)
  addSs(program, ended)

  // only drill has them: elsewhere they are unknown options
  const { settings, rest } = words[0] === 'drill' ? splitCommandLine(words) : { settings: [], rest: [...words] }
  try {
    await program.parseAsync(rest, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE
    if (error instanceof FlagError) {
      process.stderr.write(`error: ${error.message}\n`)
      return WRONG_USE
    }
    throw error
  }
  return status
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { version: string }).version)
}
