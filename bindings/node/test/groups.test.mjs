// Groups and communities: every operation once, as one client does it and another one is told.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, folder, link, nextEvent } from './sandbox.mjs'

let sandbox
let engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** Two people with a client each. */
async function pair(t) {
  const [annaPhone, benPhone] = [await sandbox.phone(), await sandbox.phone()]
  const clients = []
  for (const phone of [annaPhone, benPhone]) {
    const path = join(folder(t), 'account.db')
    const client = await Client.open(path, { engine, autoStart: false })
    t.after(() => client.close())
    await link(client, phone)
    clients.push(client)
  }
  return { anna: clients[0], ben: clients[1], annaPhone, benPhone }
}

const SETTINGS = [
  'announce',
  'locked',
  'approval_required',
  'members_may_add',
  'members_may_invite',
  'members_may_share_history',
  'sharing_limited',
  'forwarding_limited',
  'history_shared',
  'admin_reports',
]

test('settings are changed, and groups are looked up', async (t) => {
  const { anna, ben, benPhone } = await pair(t)
  const options = { timeoutMs: DEADLINE }
  const setup = { subject: 'Birds', participants: [benPhone.jid], description: 'all', membersMayInvite: false }
  const made = (await anna.createGroup(setup, options)).group
  const group = made.id
  assert.equal(made.size, 2)
  assert.ok(made.description && !made.membersMayInvite)
  assert.equal((await nextEvent(ben, 'group_joined')).chat.id, group)
  for (const setting of SETTINGS) await anna.setGroupSetting({ group, setting, enabled: true })
  const shown = await anna.getGroup({ group, fresh: true })
  assert.ok(shown.announce && shown.locked && shown.sharingLimited && shown.adminReports)
  await anna.setGroupDescription({ group, text: 'some' })
  const told = (event) => event.kind === 'group_changed' && event.change === 'description'
  assert.equal((await nextEvent(ben, told)).text, 'some')
  await anna.setGroupDescription({ group })
  assert.equal((await anna.checkGroup({ group })).description ?? null, null)
  const found = await anna.getGroups({ groups: [group, '120363999999999999@g.us'] })
  assert.deepEqual(found.results.map((one) => one.refused ?? null), [null, 404])
  assert.deepEqual((await anna.getGroupPictures({ groups: [group] })).pictures, [])
  await ben.confirmGroup({ group })
  assert.deepEqual((await ben.reportToAdmins({ group, messageIds: ['3EB0AA'] })).refused, [])
  assert.equal((await anna.listReportedMessages({ group })).messages[0].messageId, '3EB0AA')
  await sandbox.ask('PATCH', `/groups/${group}`, { by: '', suspended: true })
  await anna.appealGroupSuspension({ group, reason: 'birds only' })
  await assert.rejects(anna.appealGroupSuspension({ group, reason: 'birds only' }), { serviceStatus: 409 })
})

test('members come and go, and names change', async (t) => {
  const { anna, ben, benPhone } = await pair(t)
  const participants = [benPhone.jid]
  const group = (await anna.createGroup({ subject: 'Birds', participants }, { timeoutMs: DEADLINE })).group.id
  assert.ok((await anna.listGroups()).groups.some(({ id }) => id === group))
  await anna.setGroupSubject({ group, subject: 'Owls' })
  assert.equal((await anna.getGroup({ group })).subject, 'Owls')
  const promoted = await anna.promoteParticipants({ group, participants })
  const demoted = await anna.demoteParticipants({ group, participants })
  const removed = await anna.removeParticipants({ group, participants })
  for (const { results } of [promoted, demoted, removed]) {
    assert.deepEqual(results.map(({ who, refused }) => [who.phone, refused ?? null]), [[benPhone.jid, null]])
  }
  assert.equal((await nextEvent(ben, 'group_left')).chat.id, group)
})

test('people come by links and invitations, or wait', async (t) => {
  const { anna, ben, annaPhone, benPhone } = await pair(t)
  const group = (await anna.createGroup({ subject: 'Birds', participants: [] })).group.id
  const first = await anna.getInviteLink({ group })
  const invite = await anna.resetInviteLink({ group })
  assert.ok(invite.url.endsWith(invite.code) && invite.code !== first.code)
  await assert.rejects(ben.previewInviteLink({ link: first.url }), { code: Code.NotFound })
  assert.equal((await ben.previewInviteLink({ link: invite.url })).subject, 'Birds')
  await anna.setGroupSetting({ group, setting: 'approval_required', enabled: true })
  assert.ok((await ben.joinByLink({ link: invite.code })).waiting)
  const request = await nextEvent(anna, 'join_request')
  assert.deepEqual([request.state, request.method], ['created', 'invite_link'])
  await ben.cancelJoinRequest({ group })
  assert.deepEqual((await anna.listJoinRequests({ group })).requests, [])
  await ben.joinByLink({ link: invite.code })
  const [waiting] = (await anna.listJoinRequests({ group })).requests
  const decided = await anna.decideJoinRequests({ group, people: [waiting.who.id], approve: true })
  assert.equal(decided.results[0].refused ?? null, null)
  await ben.leaveGroup({ group })
  await anna.setGroupSetting({ group, setting: 'approval_required', enabled: false })
  await benPhone.ask('POST', '/let-add', { who: 'none' })
  const [added] = (await anna.addParticipants({ group, participants: [benPhone.jid] })).results
  assert.equal(added.refused, 403)
  const invitation = { group, ...added.invitation, admin: annaPhone.jid }
  assert.equal((await ben.previewInvitation(invitation)).subject, 'Birds')
  assert.equal((await ben.acceptInvitation(invitation)).group, group)
  await anna.revokeInvitations({ group, people: [benPhone.jid] })
})

test('communities hold groups', async (t) => {
  const { anna, ben, annaPhone, benPhone } = await pair(t)
  const made = (await anna.createCommunity({ subject: 'Animals', generalChat: true })).group
  const community = made.id
  assert.ok(made.isCommunity)
  const birds = (await anna.createGroup({ subject: 'Birds', participants: [benPhone.jid] })).group.id
  const linked = await anna.linkGroups({ community, groups: [birds] })
  assert.equal(linked.results[0].refused ?? null, null)
  const told = await nextEvent(ben, 'group_linked')
  assert.deepEqual([told.linked, told.relation, told.groups[0].id], [true, 'community', community])
  const fish = (await anna.createGroup({ subject: 'Fish', participants: [], community })).group.id
  for (const details of [false, true]) {
    const { groups } = await ben.listCommunityGroups({ community, details })
    const subjects = groups.map(({ subject }) => subject)
    assert.ok(subjects.includes('Birds') && subjects.includes('Fish'))
  }
  assert.equal((await ben.listCommunityMembers({ community })).members.length, 2)
  const sizes = (await ben.countCommunityMembers({ community })).groups
  assert.equal(sizes.find(({ group }) => group === birds).size, 2)
  assert.equal((await ben.previewCommunityGroup({ community, group: fish })).subject, 'Fish')
  assert.ok(!(await ben.joinCommunityGroup({ community, group: fish })).waiting)
  const suggestion = { by: benPhone.number, subject: 'Gulls', description: 'white' }
  await sandbox.ask('POST', `/groups/${community}/suggestions`, suggestion)
  assert.ok((await nextEvent(anna, 'group_suggested')).open)
  const { suggestions } = await anna.listGroupSuggestions({ community })
  assert.equal(suggestions[0].subject, 'Gulls')
  await anna.transferCommunity({ community, to: benPhone.jid })
  await ben.unlinkGroups({ community, groups: [fish] })
  const removed = await ben.removeFromCommunity({ community, people: [annaPhone.jid] })
  assert.equal(removed.results[0].refused ?? null, null)
  await ben.deactivateCommunity({ community })
  const again = (await anna.createCommunity({ subject: 'Plants' })).group.id
  await anna.leaveCommunity({ community: again })
  await assert.rejects(anna.listCommunityGroups({ community: again }), { code: Code.Forbidden })
})

test('who joins gets what was written before', async (t) => {
  await sandbox.ask('POST', '/properties', { code: 15313, value: '1' })
  const { anna, ben, benPhone } = await pair(t)
  const group = (await anna.createGroup({ subject: 'Ponds', participants: [] })).group.id
  await anna.sendText({ chat: group, text: 'before' })
  await anna.addParticipants({ group, participants: [benPhone.jid] })
  const { messageId, messages } = await anna.shareGroupHistory({ group, people: [benPhone.jid] })
  assert.equal(messages, 1)
  const told = await nextEvent(ben, (event) => event.kind === 'message' && event.messageId === messageId)
  assert.equal(told.content.type, 'group_history')
  assert.deepEqual(await ben.fetchGroupHistory({ group, messageId }), { messages: 1, leftOut: 0 })
  const { items } = await ben.findMessages({ chat: group })
  assert.ok(items.some(({ text }) => text === 'before'))
})
