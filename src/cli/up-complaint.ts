/** Something that cannot be meant, or cannot be done, in one sentence for whoever typed it. */
export class Complaint extends Error {
  /** 2: the command was called wrongly; 1: it failed. */
  readonly status: 1 | 2

  constructor(message: string, status: 1 | 2) {
    super(message)
    this.status = status
  }
}

/** Runs a command; what it complains of is printed as one sentence. Gives the exit code. */
export async function complained(command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return error.status
  }
}
