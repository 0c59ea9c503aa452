import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { run } from '../src/cli/commands.js'
import { failureText, runScript } from '../src/drill/index.js'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const read = (path: string) => readFileSync(at(path), 'utf8')

/** What is printed in it, block by block. */
const blocks = (text: string): string[] => [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, block]) => block!)

/** Comments and titles are in the language of their README. */
const withoutWords = (block: string): string =>
  block
    .replaceAll(/test\('.*?'/g, "test('…'")
    .replaceAll(/^# .*\n/gm, '')
    .replaceAll(/ *(?:\/\/|#) .*$/gm, '')

describe.each(['README.md', 'README.zh-CN.md'])('%s', (name) => {
  const text = read(name)

  test('the connection that it draws is what the machine does', async () => {
    let printed = ''
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text
      return true
    })
    await run(['scenario', 'run', 'simultaneous-close', '--ladder'])
    write.mockRestore()
    const drawn = blocks(text).find((block) => block.includes('│'))!
    expect(printed).toContain(drawn.slice(drawn.indexOf('\n\n') + 2))
  })

  test('the wrong expectation that it shows is told like that', () => {
    const file = 'scenarios/state-closing.pkt'
    const wrong = read(file).replace('> . 2:2(0) ack 2', '> F. 2:2(0) ack 2')
    const told = failureText(runScript(wrong, { profile: 'linux', file }, 'ipv4'))
    expect(blocks(text)).toContain(`${told}\n`)
  })

  test('what it points to is there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!)
    expect(links.filter((path) => !existsSync(at(path)))).toEqual([])
  })
})

test('both READMEs show the same commands and programs, and list the same things', () => {
  const [english, chinese] = [read('README.md'), read('README.zh-CN.md')]
  expect(blocks(chinese).map(withoutWords)).toEqual(blocks(english).map(withoutWords))
  const rows = (text: string) => text.split('\n').filter((line) => line.startsWith('|')).length
  expect(rows(chinese)).toBe(rows(english))
})
