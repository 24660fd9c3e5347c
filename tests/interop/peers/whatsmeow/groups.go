package main

import (
	"context"
	"fmt"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

type createGroupArgs struct {
	Subject string      `json:"subject"`
	Members []types.JID `json:"members"`
}

func (d *device) createGroup(ctx context.Context, args createGroupArgs) (any, error) {
	info, err := d.cli.CreateGroup(ctx, whatsmeow.ReqCreateGroup{Name: args.Subject, Participants: args.Members})
	if err != nil {
		return nil, err
	}
	return fields{"group": info.JID.String()}, nil
}

type groupArgs struct {
	Group types.JID `json:"group"`
}

func (d *device) groupInfo(ctx context.Context, args groupArgs) (any, error) {
	info, err := d.cli.GetGroupInfo(ctx, args.Group)
	if err != nil {
		return nil, err
	}
	return fields{
		"subject": info.Name, "addressing": string(info.AddressingMode), "members": participantJIDs(info.Participants),
	}, nil
}

type changeMembersArgs struct {
	Group   types.JID   `json:"group"`
	Action  string      `json:"action"`
	Members []types.JID `json:"members"`
}

func (d *device) changeMembers(ctx context.Context, args changeMembersArgs) (any, error) {
	changed, err := d.cli.UpdateGroupParticipants(ctx, args.Group, args.Members, whatsmeow.ParticipantChange(args.Action))
	if err != nil {
		return nil, err
	}
	for _, member := range changed {
		if member.Error != 0 {
			return nil, fmt.Errorf("%s: %d", member.JID, member.Error)
		}
	}
	return nil, nil
}

func (d *device) leaveGroup(ctx context.Context, args groupArgs) (any, error) {
	return nil, d.cli.LeaveGroup(ctx, args.Group)
}

// groupChanged reports each kind of change of the members.
func (d *device) groupChanged(evt *events.GroupInfo) {
	for _, part := range []struct {
		change  string
		members []types.JID
	}{{"add", evt.Join}, {"remove", evt.Leave}, {"promote", evt.Promote}, {"demote", evt.Demote}} {
		if len(part.members) > 0 {
			d.group(evt.JID, part.change, part.members)
		}
	}
}

func (d *device) group(chat types.JID, change string, members []types.JID) {
	d.out.event("group", fields{"chat": chat.String(), "change": change, "members": members})
}

func participantJIDs(participants []types.GroupParticipant) []types.JID {
	members := make([]types.JID, 0, len(participants))
	for _, participant := range participants {
		members = append(members, participant.JID)
	}
	return members
}
