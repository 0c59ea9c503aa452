/** Columns a text takes in a terminal: East Asian wide characters take two. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += isWide(character.codePointAt(0)!) ? 2 : 1
  return width
}

/** The ranges of wide characters that occur in labels: CJK, Hangul, full-width forms. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6)
  )
}

export function padEnd(text: string, width: number, fill = ' '): string {
  return text + fill.repeat(Math.max(0, width - displayWidth(text)))
}

export function padStart(text: string, width: number, fill = ' '): string {
  return fill.repeat(Math.max(0, width - displayWidth(text))) + text
}

/** The text, its end replaced by `ellipsis` where it takes more than `width` columns. */
export function clip(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text
  const room = width - displayWidth(ellipsis)
  let out = ''
  let used = 0
  for (const character of text) {
    used += displayWidth(character)
    if (used > room) break
    out += character
  }
  return out + ellipsis
}
