// Channels: made, followed, changed, shared, read, found.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, link, nextEvent } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** A linked client and its phone. */
async function linked(t) {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const own = await sandbox.phone()
  await link(client, own)
  return { client, own }
}

const act = (channel, action, by, more = {}) =>
  sandbox.ask('POST', `/channels/${channel}/${action}`, { by, ...more })

test('channels are made, followed and changed', async (t) => {
  const { client, own } = await linked(t)
  const friend = await sandbox.phone()
  await sandbox.ask('POST', `/phones/${own.number}/terms`, { notice: '20601217' })
  assert.equal((await client.getChannelTerms({ terms: 'create' })).accepted, false)
  await assert.rejects(client.createChannel({ name: 'Finches' }), { code: Code.TermsNotAccepted })
  await client.acceptChannelTerms({ terms: 'create' })
  const made = await client.createChannel({ name: 'Finches', description: 'of all kinds' })
  assert.deepEqual([made.name, made.role, made.followers], ['Finches', 'owner', 1])
  const found = await client.getChannel({ channel: `https://whatsapp.com/channel/${made.invite}` })
  assert.equal(found.id, made.id)
  const changed = await client.updateChannel({ channel: made.id, name: 'Sparrows', reactions: 'all' })
  assert.equal(changed.name, 'Sparrows')

  await act(made.id, 'follow', friend.number)
  const { followers } = await client.listChannelFollowers({ channel: made.id })
  assert.equal(followers.length, 2)
  const invitation = await client.inviteChannelAdmin({ channel: made.id, person: friend.jid })
  assert.equal(typeof invitation.expiresAt, 'number')
  const admins = await client.getChannelAdmins({ channel: made.id })
  assert.deepEqual([admins.count, admins.invited.map((who) => who.phone)], [1, [friend.jid]])
  await client.revokeChannelInvitation({ channel: made.id, person: friend.jid })
  await client.inviteChannelAdmin({ channel: made.id, person: friend.jid })
  await act(made.id, 'accept', friend.number)
  let role = await nextEvent(client, 'channel_role_changed')
  while (role.change !== 'promoted') role = await nextEvent(client, 'channel_role_changed')
  assert.equal(role.who.phone, friend.jid)
  await client.demoteChannelAdmin({ channel: made.id, person: friend.jid })
  await assert.rejects(client.transferChannel({ channel: made.id, to: friend.jid }), { code: Code.NotFound })

  const { jid: theirs } = await sandbox.ask('POST', '/channels', { owner: friend.number, category: 'BIRDS' })
  await client.followChannel({ channel: theirs })
  const { channels } = await client.listChannels({})
  assert.deepEqual(channels.map(({ id }) => id).sort(), [made.id, theirs].sort())
  await client.muteChannel({ channel: theirs, muted: true })
  assert.deepEqual((await sandbox.ask('GET', `/channels/${theirs}`)).muted_by, [own.number])
  await act(theirs, 'update', friend.number, { updates: { name: 'Gulls' } })
  const told = await nextEvent(client, 'channel_changed')
  assert.deepEqual([told.channel, told.name], [theirs, 'Gulls'])
  await act(theirs, 'mute', own.number, { muted: false })
  assert.equal((await nextEvent(client, 'channel_muted')).muted, false)
  await act(theirs, 'unfollow', own.number)
  assert.equal((await nextEvent(client, 'channel_left')).channel, theirs)
  await act(theirs, 'follow', own.number)
  assert.equal((await nextEvent(client, 'channel_joined')).channel.name, 'Gulls')
  await act(theirs, 'invite', friend.number, { person: own.number })
  await client.acceptChannelInvitation({ channel: theirs })

  for (const page of [
    await client.browseChannels({ view: 'popular' }),
    await client.searchChannels({ text: 'gull' }),
    await client.listRecommendedChannels({}),
  ]) {
    assert.deepEqual(
      page.channels.map(({ id }) => id),
      [theirs],
    )
  }
  assert.deepEqual((await client.listSimilarChannels({ channel: theirs })).channels, [])
  const { categories } = await client.listChannelCategories({ country: 'NL' })
  assert.deepEqual(
    categories.map(({ name }) => name),
    ['BIRDS'],
  )
  await client.unfollowChannel({ channel: theirs })
  await client.deleteChannel({ channel: made.id })
  assert.equal((await client.getChannel({ channel: made.id })).state, 'deleted')
})

test('posts are read, watched and counted', async (t) => {
  const { client, own } = await linked(t)
  const { id: channel } = await client.createChannel({ name: 'Finches' })
  const sent = await client.sendText({ chat: channel, text: 'news' })
  const serverId = sent.serverId
  await client.watchChannel({ channel })
  await client.markPostsViewed({ channel, serverIds: [serverId] })
  const counts = await nextEvent(client, 'channel_counts')
  assert.deepEqual([counts.posts[0].serverId, counts.posts[0].views], [serverId, 1])
  await client.unwatchChannel({ channel })
  const { posts } = await client.getPosts({ channel, limit: 5 })
  assert.deepEqual([posts[0].text, posts[0].fromMe], ['news', true])
  const updates = await client.getPostUpdates({ channel, since: 0 })
  assert.equal(updates.posts[0].counts.views, 1)
  const { pinned } = await client.pinPost({ channel, messageId: sent.messageId, pinned: true })
  assert.equal(pinned[0].messageId, sent.messageId)
  await client.reactToPost({ channel, serverId, emoji: '👍' })
  await client.voteInPost({ channel, serverId, choices: ['Bread'] })
  const { reactions } = await client.listPostReactions({ channel, serverId })
  assert.deepEqual([reactions[0].emoji, reactions[0].senders[0].phone], ['👍', own.jid])
  const { voters } = await client.listPostVoters({ channel, serverId, choice: 'Bread' })
  assert.equal(voters[0].who.phone, own.jid)
  const { acts } = await client.listOwnPostActs({})
  assert.deepEqual([acts[0].channel, acts[0].emoji, acts[0].votes.length], [channel, '👍', 1])
  const content = { type: 'text', text: 'better news' }
  await client.editPost({ channel, messageId: sent.messageId, content })
  await client.revokePost({ channel, messageId: sent.messageId })
  assert.equal((await client.getPosts({ channel })).posts[0].revoked, true)
})
