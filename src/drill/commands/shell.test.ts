import { describe, expect, test } from 'vitest'
import { arithmetic, Shell } from './shell.js'
import { TEXT_PROGRAMS } from './text-programs.js'

function shellWith(files: Record<string, string> = {}): Shell {
  const store = new Map(Object.entries(files))
  return new Shell(
    TEXT_PROGRAMS,
    {
      read: (path) => store.get(path) ?? null,
      write: (path, content) => store.set(path, content) !== undefined,
      remove: (path) => store.delete(path),
    },
    [['PPID', '7']],
  )
}

const output = (text: string, files?: Record<string, string>) => shellWith(files).run(text).output
const status = (text: string, files?: Record<string, string>) => shellWith(files).run(text).status

describe('commands in back quotes', () => {
  test('run one after the other, and stop nothing when one fails', () => {
    expect(output('echo a; false\n echo b # c')).toBe('a\nb\n')
    expect(status('false\ntrue')).toBe(0)
    expect(status('true\nfalse')).toBe(1)
  })

  test('are joined by && and ||', () => {
    expect(output('false && echo a || echo b')).toBe('b\n')
    expect(output('true || echo a')).toBe('')
  })

  test('pipe text into each other', () => {
    expect(output('echo one two | grep -c two | grep 1')).toBe('1\n')
    expect(status('echo one | grep -q two')).toBe(1)
    expect(status('! echo one | grep -q two')).toBe(0)
  })

  test('expand variables, arithmetic and the output of other commands', () => {
    expect(output(`a=3; echo "$a \${a} $((a * 2 + (1 << 4))) $(echo x)"`)).toBe('3 3 22 x\n')
    expect(output(`echo '$PPID' /tmp/r_\${PPID}.sh`)).toBe('$PPID /tmp/r_7.sh\n')
  })

  test('keep quoted words together and split others', () => {
    expect(output(`printf "%s" "a  b" c`)).toContain('a  b c')
    expect(output('a="x  y"; echo $a')).toBe('x y\n')
  })

  test('redirect into files and nowhere', () => {
    expect(output('echo a > /f; echo b >> /f; cat /f')).toBe('a\nb\n')
    expect(output('cat /none > /dev/null 2>&1; echo ok')).toBe('ok\n')
    expect(shellWith().run('cat /none').error).toContain('/none')
    expect(shellWith().run('cat /none &> /dev/null').error).toBe('')
  })

  test('run files of commands, with continued lines', () => {
    expect(output('./go.sh && echo after', { './go.sh': '#!/bin/bash\necho a \\\n  b\n' })).toBe('a b\nafter\n')
    expect(shellWith({ './go.py': '#!/usr/bin/env python3\n' }).run('./go.py').error).toContain('python3')
  })

  test('that are not known fail and say so', () => {
    const outcome = shellWith().run('frobnicate --all')
    expect(outcome.status).toBe(127)
    expect(outcome.error).toContain('frobnicate')
  })

  test('that cannot be read fail and do not throw', () => {
    for (const text of ['echo "a', 'a && ', 'if true; then echo a; fi', '(echo a', '`', '$((1']) {
      expect(status(text), text).not.toBe(0)
    }
  })
})

test('arithmetic follows the precedence of C', () => {
  const variables = new Map([['n', '10']])
  expect(arithmetic('15*1024*1024', variables)).toBe(15728640)
  expect(arithmetic('2 + 3 * n - 7 / 2', variables)).toBe(29)
  expect(arithmetic('0x10 % 7', variables)).toBe(2)
  expect(arithmetic('1 +', variables)).toBeNaN()
})
