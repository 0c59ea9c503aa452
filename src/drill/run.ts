import type { ProfileName, Settings } from '../tcp/index.js'
import { connectionVariables, type TraceEvent, TraceLog } from '../trace/index.js'
import { CODE_CONSTANTS, familyOf } from './calls/symbols.js'
import { type CallInProgress, SystemCalls } from './calls/syscalls.js'
import { CodeError, createEnvironment, evaluate, type NameValue } from './code/evaluate.js'
import { VIRTUAL } from './estab-target.js'
import { DrillFailure, Mismatch } from './failure.js'
import type {
  CallAction,
  CodeAction,
  CommandAction,
  Micros,
  PacketAction,
  Position,
  Script,
  ScriptEvent,
} from './language/ast.js'
import type { Flags, IpVersion } from './language/flags.js'
import { ScriptError } from './language/source.js'
import { Packets } from './packets/packets.js'
import { histories, inSeconds, type RunResult } from './report.js'
import { bursts, Story, sampledText } from './story.js'
import type { Target, TargetKind } from './target.js'
import { type EventMoment, Timeline } from './timeline.js'

export interface RunOptions {
  readonly profile: ProfileName
  /** What it is run on; a host of ours when absent. */
  readonly target?: TargetKind
  /** Changes to the settings of the profile. */
  readonly settings?: Partial<Settings>
  /** Files of the real disk that commands run (`../common/defaults.sh`), by path relative to the script; null: none. */
  readonly readFile?: (path: string) => string | null
  /** Give the events of the run: for ladders and captures. */
  readonly events?: boolean
  /** Keep whole packets in the events, for pcapng. */
  readonly packets?: boolean
  /** Keep changes of the connections' variables in the events. */
  readonly variables?: boolean
  /** Tell what became of every line, for comparing runs. */
  readonly story?: boolean
  /** Of everything random: the same seed gives the same run. 1 when absent. */
  readonly seed?: number
}

/** How long packetdrill waits for a blocking call before it makes the next, and at the end. Unit: ms. */
const PATIENCE = 1000
/** Moments less than this apart are one. Unit: ms. */
const AT_ONCE = 2e-3

/** Runs a parsed script once. Nothing is thrown for what goes wrong in it. */
export function runParsed(script: Script, source: string, flags: Flags, options: RunOptions): RunResult {
  const began = performance.now()
  const run = new Run(script, source, flags, options)
  let error: RunResult['error'] = null
  let end = 0
  try {
    run.whole()
  } catch (thrown) {
    if (thrown instanceof DrillFailure) {
      error = { ...thrown.position, message: thrown.reason, detail: thrown.detail }
    } else if (thrown instanceof ScriptError) {
      error = { ...thrown.position, message: thrown.reason, detail: [] }
    } else if (thrown instanceof Error) {
      // a mistake of ours or of the machine: the run failed, and the others go on
      const detail = (thrown.stack ?? '').split('\n').slice(1, 6)
      error = { ...run.position, message: `internal error: ${thrown.message}`, detail }
    } else throw thrown
  } finally {
    end = run.now
    run.close()
  }
  return {
    file: script.file,
    variant: flags.ipVersion ?? ('ipv4' satisfies IpVersion),
    ok: error === null,
    error,
    virtualSeconds: inSeconds(end / 1000),
    wallMs: Math.round((performance.now() - began) * 1000) / 1000,
    connections: histories(run.log.events, run.start),
    output: run.output,
    story: run.story?.entries ?? [],
    events: options.events === true ? run.log.events.map((event) => fromStart(event, run.start)) : [],
  }
}

/** An event with its times counted from the start of the script. */
function fromStart(event: TraceEvent, start: number): TraceEvent {
  const at = event.at - start
  return event.type === 'timer-armed' ? { ...event, at, due: event.due - start } : { ...event, at }
}

class Run {
  readonly log: TraceLog
  readonly output: string[] = []
  /** Host time at which the script started, ms. */
  start: number
  readonly story: Story | null
  /** Of the event being run. */
  position: Position = { line: 1, column: 1 }

  readonly #script: Script
  readonly #source: readonly string[]
  readonly #flags: Flags
  readonly #options: RunOptions
  readonly #target: Target
  readonly #packets: Packets
  readonly #calls: SystemCalls
  readonly #timeline: Timeline
  readonly #code: { readonly block: CodeAction; readonly names: Map<string, NameValue> }[] = []
  #first = true
  #inProgress: { readonly call: CallInProgress; readonly action: CallAction; readonly moment: EventMoment } | null =
    null

  constructor(script: Script, source: string, flags: Flags, options: RunOptions) {
    this.#script = script
    this.#source = source.split('\n')
    this.#flags = flags
    this.#options = options
    this.story = options.story === true ? new Story() : null
    this.log = new TraceLog({
      packets: options.packets === true,
      ...(options.variables ? { variables: connectionVariables } : {}),
    })
    this.#target = (options.target ?? VIRTUAL).open({
      flags,
      profile: options.profile,
      settings: options.settings,
      seed: options.seed ?? 1,
      log: this.log,
      file: script.file,
      readFile: options.readFile ?? (() => null),
    })
    this.start = this.#target.now
    this.#timeline = new Timeline({ micros: flags.toleranceUsecs, percent: flags.tolerancePercent })
    this.#packets = new Packets({
      target: this.#target,
      flags,
      strictSegments: flags.strictSegments || options.profile === 'freebsd',
      log: this.log,
      now: () => this.now,
      start: () => this.start,
    })
    this.#calls = new SystemCalls({
      target: this.#target,
      packets: this.#packets,
      flags,
      profile: options.profile,
    })
  }

  close(): void {
    this.#target.close()
  }

  /** From the start of the script, microseconds. */
  get now(): Micros {
    return (this.#target.now - this.start) * 1000
  }

  whole(): void {
    const { setUp, cleanUp, events } = this.#script
    if (this.#flags.dryRun) return
    for (const path of this.#flags.initScripts) this.#command({ kind: 'command', position: this.position, text: path })
    if (setUp !== null) this.#command(setUp)
    this.start = this.#target.now
    try {
      for (const event of events) this.#event(event)
    } catch (error) {
      // what went wrong first is told, whatever cleaning up says
      if (cleanUp !== null) this.#target.command(cleanUp.text)
      throw error
    }
    if (cleanUp !== null) this.#command(cleanUp)
    this.#tellRest()
    this.#evaluate()
    this.#awaitCall(this.#target.now + PATIENCE)
    if (this.#inProgress !== null) {
      const { action } = this.#inProgress
      throw this.#failure(action.position, `the script ends while ${action.name} is still blocked`)
    }
  }

  #event(event: ScriptEvent): void {
    const { action } = event
    this.position = action.position
    const moment = this.#timeline.place(event.time, action, this.now)
    switch (action.kind) {
      case 'packet':
        if (action.direction === 'inbound') this.#send(action, moment)
        else this.#expect(action, moment)
        break
      case 'call':
        this.#call(action, moment)
        break
      case 'command':
        this.#waitFor(moment, action.position, 'this command')
        this.#command(action)
        break
      case 'code':
        this.#waitFor(moment, action.position, 'this code')
        this.#sample(action)
        break
    }
    this.#first = false
    if (this.#inProgress !== null) this.#wakeCall()
  }

  /** Lets time pass until an event is due. */
  #waitFor(moment: EventMoment, position: Position, what: string): void {
    this.#runTo(this.start + moment.at / 1000)
    const late = this.#first ? null : this.#timeline.objection(moment, this.now, what)
    if (late !== null) throw this.#failure(position, late)
  }

  #runTo(time: number): void {
    this.#target.runTo(time)
    this.#finishCall()
  }

  // --- packets ---

  #send(action: PacketAction, moment: EventMoment): void {
    this.#locate(action.position, () => this.#packets.prepare(action.packet))
    this.#waitFor(moment, action.position, 'this packet to arrive')
    const text = this.#locate(action.position, () => this.#packets.inject(action.packet))
    if (this.#flags.verbose) this.output.push(`inbound injected packet: ${stamp(this.now)} ${text}`)
  }

  #expect(action: PacketAction, moment: EventMoment): void {
    const packets = this.#packets
    const { position } = action
    const expected = this.#locate(position, () => packets.expect(action.packet))
    const limit =
      moment.kind === 'any'
        ? this.#target.now + this.#target.patience.forever
        : this.start + (moment.to + this.#timeline.tolerance) / 1000
    while (!expected.complete) {
      if (packets.take(expected)) continue
      // just at the limit is in time
      if (!this.#target.stepBefore(limit + AT_ONCE)) {
        this.#runTo(moment.kind === 'any' ? this.#target.now : limit)
        throw this.#notSent(action, moment, expected.sent.length > 0)
      }
      this.#finishCall()
    }
    if (this.#flags.verbose)
      this.output.push(
        ...expected.sent.map((sent) => `outbound sniffed packet: ${stamp(sent.at)} ${packets.text(sent)}`),
      )
    this.story?.sent(position, expected.sent, (sent) => packets.text(sent))
    const wrong = packets.differences(expected)
    const at = expected.sent.at(-1)!.at
    const late = this.#timeline.objection(moment, at, 'this segment')
    if (wrong.length === 0 && late === null) return
    const lines = packets.comparison(expected, this.#written(position), moment)
    const what = action.packet.kind === 'tcp' ? 'segment' : 'packet'
    const failure =
      wrong.length > 0
        ? this.#failure(position, `expected an outgoing ${what}, got a different one`, [...lines, wrong.join('; ')])
        : this.#failure(position, late!, lines)
    if (!this.#flags.nonFatal.packet) throw failure
    this.output.push(`warning: ${failure.render()}`)
  }

  /** The failure of a packet that did not come, with the one that comes instead later on. */
  #notSent(action: PacketAction, moment: EventMoment, partly: boolean): DrillFailure {
    const expected = this.#locate(action.position, () => this.#packets.expectAnything())
    const end = this.#target.now + this.#target.patience.curiosity
    let found = this.#packets.take(expected)
    while (!found && this.#target.stepBefore(end)) found = this.#packets.take(expected)
    this.story?.notSent(action.position, expected.sent, (sent) => this.#packets.text(sent))
    const lines = found
      ? this.#packets.comparison(expected, this.#written(action.position), moment)
      : [`expected  ${this.#written(action.position)}`, 'sent      nothing']
    const why = partly ? 'only a part of it was sent in time' : 'none was sent in time'
    return this.#failure(action.position, `expected an outgoing packet, ${why}`, lines)
  }

  // --- calls ---

  #call(action: CallAction, moment: EventMoment): void {
    const blocking = action.end !== null
    this.#awaitCall(this.#target.now + PATIENCE)
    if (blocking && this.#inProgress !== null) {
      const { name } = this.#inProgress.action
      throw this.#failure(action.position, `expected ${name} to have returned before another call that blocks`)
    }
    this.#waitFor(moment, action.position, `this call`)
    // what the blocked call waits for may be due at this very moment, and comes first
    if (this.#inProgress !== null) this.#awaitCall(this.#target.now + AT_ONCE)
    this.#target.announce(blocking)
    const call = this.#locate(action.position, () => this.#calls.start(action))
    if (blocking) {
      this.#inProgress = { call, action, moment }
      this.#finishCall()
      return
    }
    const end = this.#target.now + this.#target.patience.forever
    while (!call.returned && this.#target.stepBefore(end)) {
      // a call may block though the script does not say so, if the host ends it by itself
    }
    if (!call.returned) {
      call.cancel()
      throw this.#failure(action.position, `${action.name} blocks and nothing ends that`, [
        `a call that is to block until the script does something is written with its end: +0...0.1 ${action.name}(…)`,
      ])
    }
    this.#check(call, action)
  }

  /** Lets a blocked call go on that was woken just now. */
  #wakeCall(): void {
    this.#finishCall()
    do this.#finishCall()
    while (this.#inProgress !== null && this.#target.dueNow())
  }

  /** Lets time pass until the call in progress returns, at most until `limit`. */
  #awaitCall(limit: number): void {
    do this.#finishCall()
    while (this.#inProgress !== null && this.#target.stepBefore(limit))
  }

  /** Looks at the call in progress if it has returned. */
  #finishCall(): void {
    const { call, action, moment } = this.#inProgress ?? {}
    if (call === undefined || action === undefined || moment === undefined || !call.returned) return
    this.#inProgress = null
    this.#check(call, action)
    const end = moment.base + action.end!
    const late = this.#timeline.endObjection(
      moment,
      end,
      (call.returnedAt - this.start) * 1000,
      `${action.name} to return`,
    )
    if (late !== null) throw this.#failure(action.position, late)
  }

  #check(call: CallInProgress, action: CallAction): void {
    if (this.#flags.verbose) this.output.push(`${action.name} call: ${stamp((call.returnedAt - this.start) * 1000)}`)
    this.story?.returned(action.position, (call.returnedAt - this.start) * 1000, `${action.name} = ${call.said}`)
    try {
      call.check()
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
      const failure = this.#failure(action.position, error.message, error.detail)
      if (!this.#flags.nonFatal.syscall) throw failure
      this.output.push(`warning: ${failure.render()}`)
    }
  }

  // --- commands and code ---

  #command({ text, position }: CommandAction): void {
    const { status, output, error } = this.#target.command(text)
    if (output !== '') this.output.push(output.trimEnd())
    if (status === 0) return
    const said = error.trim() || output.trim() || 'it says nothing'
    const [short = ''] = text.trim().split('\n')
    throw this.#failure(position, `the command \`${short}\` failed with status ${status}`, said.split('\n'))
  }

  #sample(block: CodeAction): void {
    const names = this.#locate(block.position, () => [...this.#calls.sample()])
    this.story?.returned(block.position, this.now, sampledText(block.text, names))
    const constants = CODE_CONSTANTS[familyOf(this.#options.profile)]
    this.#code.push({ block, names: new Map<string, NameValue>([...Object.entries(constants), ...names]) })
  }

  /** All code runs when the script is over, as one program. */
  #evaluate(): void {
    const environment = createEnvironment()
    for (const { block, names } of this.#code) {
      this.position = block.position
      try {
        evaluate(this.#script.file, block, names, environment)
      } catch (error) {
        if (error instanceof CodeError) throw this.#failure(error.position, error.reason)
        throw error
      } finally {
        this.output.push(...environment.output.splice(0))
      }
    }
  }

  /** What was sent and the script says nothing of. */
  #tellRest(): void {
    if (this.story === null || this.#packets.underTest === null) return
    for (const burst of bursts(this.#packets.rest())) {
      this.story.sent(null, burst, (packet) => this.#packets.text(packet))
      if (!this.#flags.verbose) continue
      const { at, text } = this.story.entries.at(-1)!
      this.output.push(`outbound packet of which the script says nothing: ${stamp(at)} ${text}`)
    }
  }

  // --- messages ---

  #locate<T>(position: Position, act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (error instanceof Mismatch) throw this.#failure(position, error.message, error.detail)
      throw error
    }
  }

  #failure(position: Position, reason: string, detail: readonly string[] = []): DrillFailure {
    return new DrillFailure(this.#script.file, position, reason, detail)
  }

  /** What the script says from a place to the end of the line. */
  #written({ line, column }: Position): string {
    return (this.#source[line - 1] ?? '')
      .slice(column - 1)
      .replace(/\s*\/\/.*$/, '')
      .trim()
  }
}

const stamp = (micros: Micros): string => (micros / 1e6).toFixed(6)
