/** Finds the addresses of a name, the best first; an empty list: there is no such name. */
export type FindAddresses = (name: string) => readonly string[] | Promise<readonly string[]>

/** What every host knows without asking. */
export const LOCALHOST: readonly string[] = ['127.0.0.1', '::1']

/** Knows `localhost` and nobody else. */
export const findLocalhost: FindAddresses = (name) => (name === 'localhost' ? LOCALHOST : [])
