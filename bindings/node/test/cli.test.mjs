// `npx whimbrel`, as a user types it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { version } from 'whimbrel'

import { png } from './files.mjs'
import { Sandbox, folder, soon } from './sandbox.mjs'

let sandbox

before(async () => {
  sandbox = await Sandbox.start()
})

after(() => sandbox.stop())

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

function terminal(t) {
  const place = folder(t)
  writeFileSync(join(place, 'ready.json'), sandbox.readyLine)
  const start = (...words) => {
    const child = spawn(process.execPath, [program, '--sandbox', 'ready.json', ...words], {
      cwd: place,
      env: { ...process.env, WHIMBREL_PASSPHRASE: 'eight wading birds' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.after(() => child.kill('SIGKILL'))
    let errors = ''
    child.stderr.on('data', (data) => (errors += data))
    const ended = new Promise((resolve) => child.once('close', (status) => resolve({ status, errors })))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const lineWith = async (part) => {
      for (;;) {
        const { value, done } = await soon(lines.next(), `a line with ${part}`)
        assert.ok(!done, `it ended: ${errors}`)
        if (value.includes(part)) return value
      }
    }
    return { child, ended, lines, lineWith }
  }
  const run = async (...words) => {
    const { ended, lines } = start(...words)
    const printed = []
    for await (const line of lines) printed.push(line)
    return { ...(await soon(ended, 'the end')), printed }
  }
  return { place, start, run }
}

test('link by code, send, listen and export', async (t) => {
  const { place, start, run } = terminal(t)
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const early = await run('send', friend.jid, 'too early')
  assert.equal(early.status, 1)
  assert.match(early.errors, /not linked/)

  const linking = start('link', '--code', phone.number, '--name', 'a terminal')
  await phone.enterCode((await linking.lineWith('type this code')).split(': ')[1])
  assert.match(await linking.lineWith('linked as'), new RegExp(phone.number))
  assert.deepEqual(await soon(linking.ended, 'the end'), { status: 0, errors: '' })
  assert.match((await run('link')).printed[0], /linked already/)

  const text = await run('send', friend.jid, 'from the terminal')
  assert.equal((await friend.message('from the terminal')).id, text.printed[0])
  writeFileSync(join(place, 'bird.png'), png())
  const picture = await run('send', friend.jid, 'a bird', '--file', 'bird.png')
  assert.ok(png().equals(await friend.file(picture.printed[0])))
  assert.equal((await run('send', friend.jid)).status, 2)

  for (const form of [[], ['--json']]) {
    const listening = start('listen', ...form)
    await friend.send(phone.jid, `are you there? ${form}`)
    const line = await listening.lineWith('are you there?')
    if (form.length) assert.equal(JSON.parse(line).content.type, 'text')
    else assert.equal(line, `${friend.number}: are you there? `)
    listening.child.kill('SIGINT')
    assert.deepEqual(await soon(listening.ended, 'the end'), { status: 130, errors: '' })
  }

  assert.deepEqual((await run('export', 'link.whimbrel')).errors, '')
  assert.ok(statSync(join(place, 'link.whimbrel')).size > 0)
  const moved = await run('send', friend.jid, 'moved')
  assert.equal(moved.status, 1)
  assert.match(moved.errors, /^whimbrel: /)
})

test('a code is drawn, and help is given', async (t) => {
  const { start, run } = terminal(t)
  const linking = start('link')
  await linking.lineWith('█')
  await linking.lineWith('Linked devices')
  linking.child.kill('SIGKILL')
  assert.deepEqual((await run('--version')).printed, [version])
  const help = await run('--help')
  assert.equal(help.status, 0)
  for (const task of ['link', 'send', 'listen', 'export']) assert.ok(help.printed.join('\n').includes(`  ${task} `))
  assert.equal((await run()).status, 2)
  assert.equal((await run('nonsense')).status, 2)
  assert.equal((await run('link', '--nonsense')).status, 2)
})
