//! Businesses and bots (features document §10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use whimbrel::events::{BusinessChange, BusinessChanged, EventKind, EventStream};
use whimbrel::{BusinessHours, CallOptions, Code, Jid, ProductDraft, ProfileUpdate};
use whimbrel_sandbox::Event;
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, World, next_kind, quiet};

fn call() -> CallOptions {
    CallOptions::default()
}

async fn next_change(events: &mut EventStream) -> BusinessChanged {
    next_kind(events, |kind| match kind {
        EventKind::BusinessChanged(event) => Some(event.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_business_says_what_it_is_and_others_read_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let tablet = engine.open(world.store("tablet"), quiet()).unwrap();
    world.link(&tablet, ANNA).await;
    let mut at_tablet = tablet.events().unwrap();
    let business = Jid::pn(ANNA);
    assert_eq!(ben.business_profile(&business, call()).await.unwrap(), None);
    let mut update = ProfileUpdate::default();
    update.address = Some("Pond 1".to_owned());
    let refused = anna.edit_business_profile(update.clone(), call()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert!(world.sandbox.make_business(ANNA, "Finches Ltd"));
    let named = next_change(&mut at_tablet).await;
    assert_eq!((named.change, named.who.phone), (BusinessChange::Name, Some(business.clone())));
    update.websites = Some(vec!["https://a.example".to_owned()]);
    let day = |day: &str| BusinessHours {
        day: day.to_owned(),
        mode: "specific_hours".to_owned(),
        opens: Some(480),
        closes: Some(1080),
    };
    update.hours = Some(("Europe/Amsterdam".to_owned(), vec![day("mon")]));
    anna.edit_business_profile(update.clone(), call()).await.unwrap();
    assert_eq!(next_change(&mut at_tablet).await.change, BusinessChange::Profile);
    let told = ben.business_profile(&business, call()).await.unwrap().unwrap();
    assert_eq!((told.address.as_deref(), told.websites.len()), (Some("Pond 1"), 1));
    assert_eq!((told.timezone.as_deref(), told.hours), (Some("Europe/Amsterdam"), vec![day("mon")]));
    assert_eq!(told.categories, [("1".to_owned(), "Shop".to_owned())]);
    let known = ben.user_info(std::slice::from_ref(&business), call()).await.unwrap();
    assert_eq!(known[0].verified_name.as_deref(), Some("Finches Ltd"));
    update.hours = Some(("Europe/Amsterdam".to_owned(), vec![day("someday")]));
    let wrong = anna.edit_business_profile(update, call()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    assert_eq!(anna.remove_cover_photo("7", call()).await.unwrap_err().code(), Code::NotFound);
    anna.remove_cover_photo("123", call()).await.unwrap();
    assert_eq!(world.sandbox.cover_photo(ANNA), None);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_business_shows_a_large_picture() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let tablet = engine.open(world.store("tablet"), quiet()).unwrap();
    world.link(&tablet, ANNA).await;
    let mut at_tablet = tablet.events().unwrap();
    // A transparent picture of one pixel, which becomes a JPEG.
    let webp = STANDARD.decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==").unwrap();
    let refused = anna.set_cover_photo(webp.clone(), call()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert!(world.sandbox.make_business(ANNA, "Finches Ltd"));
    assert_eq!(next_change(&mut at_tablet).await.change, BusinessChange::Name);
    let id = anna.set_cover_photo(webp, call()).await.unwrap();
    assert_eq!(next_change(&mut at_tablet).await.change, BusinessChange::Profile);
    let (shown, picture) = world.sandbox.cover_photo(ANNA).unwrap();
    assert_eq!(shown, id);
    assert_eq!(picture[..3], [0xff, 0xd8, 0xff], "it is a JPEG, and not encrypted");
    let uploaded =
        |event: &Event| matches!(event, Event::MediaUploaded { kind, .. } if kind == "biz-cover-photo");
    assert_eq!(world.count(uploaded), 2);
    let wrong = anna.set_cover_photo(b"no picture".to_vec(), call()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::MediaUnsupported);
    anna.remove_cover_photo(&id, call()).await.unwrap();
    assert_eq!(world.sandbox.cover_photo(ANNA), None);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn products_are_sold_and_ordered() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let business = Jid::pn(ANNA);
    let mut draft = ProductDraft::default();
    draft.name = "Seeds".to_owned();
    draft.price = 4_500;
    draft.currency = "EUR".to_owned();
    draft.images = vec!["https://example.org/1".to_owned()];
    let refused = anna.put_product(None, draft.clone(), call()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert!(world.sandbox.make_business(ANNA, "Finches Ltd"));
    let seeds = anna.put_product(None, draft.clone(), call()).await.unwrap();
    assert_eq!((seeds.name.as_str(), seeds.price, seeds.images.len()), ("Seeds", Some(4_500), 1));
    draft.name = "Nests".to_owned();
    anna.put_product(None, draft.clone(), call()).await.unwrap();
    draft.name = "More seeds".to_owned();
    let changed = anna.put_product(Some(&seeds.id), draft.clone(), call()).await.unwrap();
    assert_eq!((changed.id.as_str(), changed.name.as_str()), (seeds.id.as_str(), "More seeds"));
    let unknown = anna.put_product(Some("0"), draft.clone(), call()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let first = ben.catalog(&business, 1, None, call()).await.unwrap();
    let second = ben.catalog(&business, 1, first.next.as_deref(), call()).await.unwrap();
    assert_eq!((first.products.len(), second.products.len(), second.next), (1, 1, None));
    assert_ne!(first.products[0].id, second.products[0].id);
    let collections = ben.collections(&business, call()).await.unwrap();
    assert_eq!((collections.len(), collections[0].products.len()), (1, 2));
    let token = world.sandbox.order_product(ANNA, "1234", &seeds.id).unwrap();
    let order = ben.order("1234", &token, call()).await.unwrap();
    assert_eq!((order.total, order.products[0].name.as_str()), (4_500, "More seeds"));
    assert_eq!(ben.order("1234", "x", call()).await.unwrap_err().code(), Code::Forbidden);
    assert_eq!(ben.order("1", &token, call()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(anna.delete_products(&[seeds.id, "0".to_owned()], call()).await.unwrap(), 1);
    assert_eq!(ben.catalog(&business, 10, None, call()).await.unwrap().products.len(), 1);
    assert_eq!(anna.catalog(&Jid::pn(BEN), 10, None, call()).await.unwrap_err().code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn bots_are_listed_with_what_they_say_of_themselves() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    assert_eq!(anna.bots(call()).await.unwrap(), []);
    assert_eq!(anna.bot_profiles(call()).await.unwrap(), []);
    let jid: Jid = "867051314767696@bot".parse().unwrap();
    world.sandbox.offer_bot(&jid, "Finch");
    assert_eq!(anna.bots(call()).await.unwrap()[0].id, jid);
    let profiles = anna.bot_profiles(call()).await.unwrap();
    assert_eq!((profiles[0].name.as_str(), profiles[0].is_default), ("Finch", true));
    assert_eq!((profiles[0].prompts.len(), profiles[0].commands[0].name.as_str()), (1, "imagine"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
