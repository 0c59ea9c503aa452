import { expect, test } from 'vitest'
import { errnoName, errnoNumber, errnoText } from './errno.js'

test('the same error has another number and another text on each system', () => {
  expect(errnoNumber('EAGAIN', 'linux')).toBe(11)
  expect(errnoNumber('EWOULDBLOCK', 'freebsd')).toBe(35)
  expect(errnoText('EISCONN', 'linux')).toBe('Transport endpoint is already connected')
  expect(errnoText('EISCONN', 'freebsd')).toBe('Socket is already connected')
  expect(errnoName(104, 'linux')).toBe('ECONNRESET')
  expect(errnoName(54, 'freebsd')).toBe('ECONNRESET')
  expect(errnoName(9999, 'linux')).toBeNull()
})
