//! Who comes and goes while the others talk: members leave groups, or are removed, and come back; a
//! device is linked, another one unlinked.

use std::sync::Arc;

use whimbrel_sandbox::Group;

use crate::attendance::{Away, Who};
use crate::cast::{Cast, Make};
use crate::floor::Floor;
use crate::member::Member;
use crate::plan::{Absence, Change, Line, Plan};

/// Makes every change of the plan when its time has come.
pub(crate) async fn go_on(cast: &Cast, plan: &Plan, floor: &Arc<Floor>) {
    let mut absences = vec![usize::MAX; plan.absences.len()];
    for (line, change) in &plan.changes {
        let so_far = || floor.front();
        cast.progress("the next coming or going", so_far, |front| front >= *line).await;
        match *change {
            Change::Parts(index) => absences[index] = part(cast, plan, floor, &plan.absences[index]).await,
            Change::Returns(index) => {
                come_back(cast, &plan.absences[index], absences[index]);
                floor.end_absence(index);
            }
            Change::Joins(index) => join(cast, floor, index).await,
            Change::Leaves(index) => leave(cast, plan, floor, index).await,
        }
    }
}

fn group(cast: &Cast, absence: &Absence) -> Group {
    let jid = cast.groups()[absence.group].parse().expect("a group has an address");
    cast.sandbox.find_group(&jid).expect("the group exists")
}

/// A member leaves a group, or is removed. Before, his devices get what was said there so far, and
/// everybody what he said: no phone answers for it later.
async fn part(cast: &Cast, plan: &Plan, floor: &Floor, absence: &Absence) -> usize {
    let chat = &cast.groups()[absence.group];
    let leaving = cast.sandbox.events().newest();
    let away = cast.attendance.add(Who::Member(absence.account, chat.clone()), Away::leaving(leaving));
    let concerns = |listener: usize, line: &Line| {
        let people = [cast.device(listener).account, cast.device(line.speaker).account];
        line.order.chat == *chat && people.contains(&absence.account)
    };
    cast.until_heard("a member to be able to go", plan, floor, concerns).await.unwrap();
    let number = cast.phone(absence.account).number();
    let group = group(cast, absence);
    if absence.removed {
        group.remove(cast.admin(), &[number]).unwrap();
    } else {
        group.leave(number).unwrap();
    }
    let gone = cast.sandbox.events().newest();
    cast.attendance.change(away, |away| away.gone = gone);
    away
}

/// The admin adds a member again.
fn come_back(cast: &Cast, absence: &Absence, away: usize) {
    let returning = cast.sandbox.events().newest();
    group(cast, absence).add(cast.admin(), &[cast.phone(absence.account).number()]).unwrap();
    let back = cast.sandbox.events().newest();
    cast.attendance.change(away, |away| (away.returning, away.back) = (returning, back));
}

fn ours(cast: &Cast, index: usize) -> &Arc<Member> {
    match &cast.device(index).make {
        Make::Ours(member) => member,
        Make::Baileys(_) => panic!("devices of Baileys stay"),
    }
}

/// A device is linked. It is certainly there once it is online and everybody was told of it.
async fn join(cast: &Cast, floor: &Arc<Floor>, index: usize) {
    let member = ours(cast, index);
    let away = cast.joining();
    let returning = cast.sandbox.events().newest();
    member.start().await;
    let online = || usize::from(member.is_online());
    cast.progress("a new device to be online", online, |online| online == 1).await;
    cast.catch_up().await;
    let untold = || cast.clerk.ledger().untold.len();
    cast.progress("everybody to know of a new device", untold, |untold| untold == 0).await;
    let back = cast.sandbox.events().newest();
    cast.attendance.change(away, |away| (away.returning, away.back) = (returning, back));
    member.talk(index, floor).await;
}

/// A device is unlinked on its phone. Before, it gets what was said so far, and everybody what it
/// said.
async fn leave(cast: &Cast, plan: &Plan, floor: &Floor, index: usize) {
    let leaving = cast.sandbox.events().newest();
    let away = cast.attendance.add(Who::Device(index), Away::leaving(leaving));
    let concerns = |listener: usize, line: &Line| listener == index || line.speaker == index;
    cast.until_heard("a device to be able to go", plan, floor, concerns).await.unwrap();
    let member = ours(cast, index);
    member.leaves();
    let device = cast.device(index);
    cast.phone(device.account).unlink(device.number()).await.unwrap();
    let gone = cast.sandbox.events().newest();
    cast.attendance.change(away, |away| away.gone = gone);
}
