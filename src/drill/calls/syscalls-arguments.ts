import { Mismatch } from '../failure.js'
import type { CallAction } from '../language/ast.js'
import type { Symbols } from './symbols.js'
import { evaluated, type Field, fieldOf, type Value, what } from './values.js'

/** The arguments of one call of a script, taken by place. */
export class Arguments {
  readonly #values: readonly Value[]
  readonly #name: string

  constructor(call: CallAction, symbols: Symbols) {
    this.#name = call.name
    this.#values = call.arguments.map((argument) => evaluated(argument, symbols))
  }

  get count(): number {
    return this.#values.length
  }

  /** Fails unless there are as many arguments as one of `counts`. */
  expectCount(...counts: number[]): void {
    if (counts.includes(this.count)) return
    throw new Mismatch(`${this.#name} takes ${counts.join(' or ')} arguments, found ${this.count}`)
  }

  at(index: number): Value {
    const value = this.#values[index]
    if (value === undefined) throw new Mismatch(`${this.#name}: argument ${index + 1} is missing`)
    return value
  }

  number(index: number): number {
    return numberOf(this.at(index), `${this.#name}: argument ${index + 1}`)
  }

  /** `[n]`: a number behind a pointer. */
  numberBehind(index: number): number {
    const value = this.at(index)
    if (value.kind === 'list' && value.items.length === 1) {
      return numberOf(value.items[0]!, `${this.#name}: argument ${index + 1}`)
    }
    throw new Mismatch(`${this.#name}: expected [number] as argument ${index + 1}, found ${what(value)}`)
  }

  isAny(index: number): boolean {
    return this.at(index).kind === 'any'
  }

  struct(index: number): Value & { readonly kind: 'struct' } {
    return structOf(this.at(index), `${this.#name}: argument ${index + 1}`)
  }
}

export function numberOf(value: Value, where: string): number {
  if (value.kind === 'number') return value.number
  throw new Mismatch(`${where}: expected a number, found ${what(value)}`)
}

export function structOf(value: Value | undefined, where: string): Value & { readonly kind: 'struct' } {
  if (value?.kind === 'struct') return value
  throw new Mismatch(`${where}: expected {…}, found ${what(value)}`)
}

export function listOf(value: Value | undefined, where: string): readonly Value[] {
  if (value?.kind === 'list') return value.items
  throw new Mismatch(`${where}: expected […], found ${what(value)}`)
}

/** What a script says of a struct msghdr. */
export interface MessageHeader {
  /** `msg_name(...)=...` is there. */
  readonly named: boolean
  /** Octets of each part. */
  readonly parts: readonly number[]
  readonly flags: number
  readonly control: readonly ControlMessage[]
}

export interface ControlMessage {
  readonly level: number
  readonly type: number
  readonly data: Value
}

/** Reads `{msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0, msg_control=[…]}`. */
export function messageHeader(value: Value): MessageHeader {
  const header = structOf(value, 'struct msghdr')
  const parts = listOf(fieldOf(header, 'msg_iov'), 'msg_iov').map((part) => {
    const { fields } = structOf(part, 'msg_iov')
    return numberOf(bare(fields, 1, 'iov_len'), 'iov_len')
  })
  const flags = fieldOf(header, 'msg_flags')
  const control = fieldOf(header, 'msg_control')
  return {
    named: fieldOf(header, 'msg_name') !== undefined,
    parts,
    flags: flags === undefined ? 0 : numberOf(flags, 'msg_flags'),
    control: control === undefined ? [] : listOf(control, 'msg_control').map(controlMessage),
  }
}

/** A field by its place, or its name. */
function bare(fields: readonly Field[], index: number, name: string): Value {
  const field = fields.find((one) => one.name === name) ?? fields[index]
  if (field === undefined) throw new Mismatch(`expected a field ${name}`)
  return field.value
}

function controlMessage(value: Value): ControlMessage {
  const message = structOf(value, 'msg_control')
  return {
    level: numberOf(fieldOf(message, 'cmsg_level')!, 'cmsg_level'),
    type: numberOf(fieldOf(message, 'cmsg_type')!, 'cmsg_type'),
    data: fieldOf(message, 'cmsg_data') ?? { kind: 'any', position: value.position },
  }
}
