// Statuses and posts of channels: made, changed, answered and taken back.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, link, nextEvent, pair } from './sandbox.mjs'

const STATUS = 'status@broadcast'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

const text = (words) => ({ type: 'text', text: words })

test('a status reaches its audience and is taken back', async (t) => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [own, friend, stranger] = [await sandbox.phone(), await sandbox.phone(), await sandbox.phone()]
  await link(client, own)
  const sent = await client.sendMessage({ chat: STATUS, content: text('out on the water'), audience: [friend.jid] })
  const shown = await friend.shown(sent.messageId)
  assert.deepEqual([shown.chat, shown.text], [STATUS, 'out on the water'])
  const forNobody = client.sendMessage({ chat: STATUS, content: text('for nobody'), audience: [] })
  await assert.rejects(forNobody, { code: Code.InvalidArgument })

  const post = { to: STATUS, text: 'back on land', audience: [own.number] }
  const { id: theirs } = await friend.ask('POST', '/send', post)
  const heard = await nextEvent(client, (event) => event.kind === 'message' && event.messageId === theirs)
  assert.deepEqual([heard.isStatus, heard.text], [true, 'back on land'])
  await client.revokeMessage({ chat: STATUS, targetId: sent.messageId })
  assert.deepEqual((await stranger.ask('GET', '/messages')).items, [])
})

test('posts are made, changed, answered and taken back', async (t) => {
  const { anna, ben, own, phone } = await pair(t, sandbox, engine)
  const { jid: channel } = await sandbox.ask('POST', '/channels', { owner: own.number, followers: [phone.number] })
  const sent = await anna.sendMessage({ chat: channel, content: text('news') })
  let post = await nextEvent(ben, 'channel_post')
  assert.deepEqual([post.messageId, post.serverId], [sent.messageId, sent.serverId])
  assert.deepEqual([post.channel, post.change, post.text], [channel, 'new', 'news'])
  await anna.editPost({ channel, messageId: sent.messageId, content: text('better news') })
  post = await nextEvent(ben, 'channel_post')
  assert.deepEqual([post.change, post.text], ['edited', 'better news'])

  // Counts are told to those who watch.
  await anna.watchChannel({ channel })
  await ben.reactToPost({ channel, serverId: post.serverId, emoji: '👍' })
  const { posts: [counts] } = await nextEvent(anna, 'channel_counts')
  assert.deepEqual([counts.serverId, counts.reactions], [post.serverId, [{ emoji: '👍', count: 1 }]])
  const poll = { type: 'poll', name: 'Lunch?', options: ['Soup', 'Bread'] }
  const asked = await anna.sendMessage({ chat: channel, content: poll })
  await ben.voteInPost({ channel, serverId: asked.serverId, choices: ['Bread'] })
  const voted = await nextEvent(anna, (event) => event.kind === 'channel_counts' && event.posts[0].votes?.length > 0)
  const option = createHash('sha256').update('Bread').digest('hex')
  assert.deepEqual(voted.posts[0].votes, [{ option, count: 1 }])

  await anna.revokePost({ channel, messageId: sent.messageId })
  const gone = await nextEvent(ben, (event) => event.kind === 'channel_post' && event.change === 'revoked')
  assert.deepEqual([gone.messageId, gone.content ?? null], [sent.messageId, null])
  await assert.rejects(ben.revokePost({ channel, messageId: 'X' }), { code: Code.Forbidden })
})
