#!/usr/bin/env node
import { run } from './commands.js'

// whoever reads our output may stop reading: `estab states | head`
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await run(process.argv.slice(2))
