import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Outcome } from '../commands/shell.js'
import type { CLibrary } from './c-library.js'

/** Where programs of system administration are, which a user's PATH may lack. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/sbin:/sbin'

/**
 * Runs the commands of one script in a real shell, where the script stands. Network devices are those of the namespace.
 * system(3) takes a millisecond where Node's own ways take ten, which a script would notice.
 */
export class KernelShell {
  readonly #c: CLibrary
  readonly #folder: string
  readonly #directory: string

  /** @param directory for what programs keep between calls */
  constructor(c: CLibrary, file: string, directory: string) {
    this.#c = c
    this.#folder = dirname(resolve(file))
    this.#directory = directory
  }

  run(text: string): Outcome {
    const [output, error] = [`${this.#directory}/output`, `${this.#directory}/error`]
    const lines = [
      `exec >${output} 2>${error}`,
      `export PATH=${SYSTEM_PATH}:"$PATH" PACKETDRILL_PID=$PPID NSTAT_HISTORY=${this.#directory}/nstat`,
      `cd ${quoted(this.#folder)} || exit`,
      this.#withFiles(text),
    ]
    const command = this.#c.memory(new TextEncoder().encode(`${lines.join('\n')}\0`))
    const status = this.#c.call.system(command.address)
    const signal = status & 0x7f
    return {
      // as a shell tells it
      status: signal === 0 ? (status >> 8) & 0xff : 128 + signal,
      output: readFileSync(output, 'latin1'),
      error: readFileSync(error, 'latin1'),
    }
  }

  #sysctlSetter(): string {
    const path = `${this.#directory}/set_sysctls.py`
    if (!existsSync(path)) writeFileSync(path, SYSCTL_SETTER, { mode: 0o755 })
    return path
  }

  /** Paths like `../../common/defaults.sh`: suites are also kept flatter than they were. */
  #withFiles(text: string): string {
    return text.replace(/(?<![\w./])(?:\.\.\/)+[\w./-]+/g, (path) => {
      for (let wanted = path; ; wanted = wanted.slice(3)) {
        const found = resolve(this.#folder, wanted)
        if (existsSync(found)) return found
        if (wanted.startsWith('../')) continue
        return wanted.endsWith('/set_sysctls.py') ? this.#sysctlSetter() : path
      }
    })
  }
}

/** The program of the suites that sets files of /proc/sys and leaves a script that sets them back. */
const SYSCTL_SETTER = `#!/bin/sh
restore=/tmp/sysctl_restore_$PACKETDRILL_PID.sh
echo '#!/bin/sh' >"$restore"
for setting; do
  echo "echo '$(cat "\${setting%%=*}")' >\${setting%%=*}" >>"$restore"
  echo "\${setting#*=}" >"\${setting%%=*}"
done
chmod u+x "$restore"
`

/** As one word of the shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
