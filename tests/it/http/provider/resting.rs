//! A provider that is down rests: it is offered nothing new, but for one try when the rest is over.

use axum::http::StatusCode;

use super::*;

fn down() -> Says {
    Says::Status(StatusCode::SERVICE_UNAVAILABLE)
}

fn offered(shop: &Shop) -> usize {
    shop.types().iter().filter(|kind| *kind == "session.create").count()
}

impl Shop {
    /// A customer comes in: how the provider took their conversation, and where that stands.
    async fn stands(&self, name: &str) -> (Value, String) {
        let (_, _, conversation) = self.comes(name).await;
        (self.took(&conversation).await[0]["answer"].clone(), self.status(&conversation).await)
    }
}

fn passed_over(why: &str) -> (Value, String) {
    (json!(why), "waiting".to_owned())
}

#[tokio::test]
async fn one_that_is_down_five_times_is_passed_over_and_tried_once_after_half_a_minute() {
    let shop = Shop::open(down()).await;
    let mut waiting = vec![];
    for nth in 0..5 {
        let (_, _, conversation) = shop.comes(&format!("c{nth}")).await;
        assert_eq!(shop.took(&conversation).await[0]["answer"], "failed");
        waiting.push(conversation);
    }
    let calls = shop.desk.asked().len();
    assert_eq!(offered(&shop), 5 * 6, "each was offered with all attempts");
    assert_eq!(shop.stands("sixth").await, passed_over("resting"));
    shop.world.pass(Millis(29_999)).await;
    assert_eq!(shop.stands("seventh").await, passed_over("resting"));
    assert_eq!(shop.desk.asked().len(), calls, "it is told nothing, not even an end");

    shop.world.pass(Millis(1)).await;
    assert_eq!(shop.stands("eighth").await, passed_over("failed"));
    assert_eq!(offered(&shop), 5 * 6 + 1, "one call tries it");
    shop.desk.says(accepted());
    assert_eq!(shop.stands("ninth").await, passed_over("resting"));

    shop.world.pass(Millis::seconds(30)).await;
    let (_, _, tenth) = shop.comes("tenth").await;
    assert_eq!(shop.status(&tenth).await, "serving");
    for (nth, conversation) in waiting.iter().enumerate() {
        let status = if nth < 2 { "serving" } else { "waiting" };
        assert_eq!(shop.status(conversation).await, status, "it works again, so it is offered what it let pass, up to its capacity: {nth}");
    }
    shop.world.end().await;
}

#[tokio::test]
async fn the_next_seat_has_it_at_once() {
    let shop = Shop::open(down()).await;
    for nth in 0..5 {
        let _ = shop.comes(&format!("c{nth}")).await;
    }
    let other = RobotServer::start(accepted()).await;
    let connection = json!({"title": "Other", "url": other.url(), "groups": ["main"], "capacity": 10});
    let connected = shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/providers/other", connection).await.ok();
    shop.world.settle().await;
    let (offered_before, name) = (offered(&shop), "li");
    let (_, _, conversation) = shop.comes(name).await;
    assert_eq!(shop.row(&conversation).await["agent"], connected["agent"]);
    assert_eq!(offered(&shop), offered_before);
    shop.world.end().await;
}

#[tokio::test]
async fn what_it_has_it_is_told_while_it_rests_and_one_that_is_connected_anew_rests_no_more() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    shop.desk.says(down());
    for nth in 0..5 {
        let _ = shop.comes(&format!("c{nth}")).await;
    }
    assert_eq!(shop.stands("wang").await, passed_over("resting"));
    let (before, offered_before) = (shop.types().len(), offered(&shop));
    let connection = json!({"title": "Express", "url": shop.desk.url(), "groups": ["main"], "capacity": 1});
    let rated = format!("/v1/tenants/acme/conversations/{conversation}/rating");
    let _ = shop.world.post(&customer, &rated, json!({"score": 5})).await.ok();
    shop.says(&customer, &chat, "几时到？").await;
    let told = shop.types().split_off(before);
    let count = |what: &str| told.iter().filter(|kind| *kind == what).count();
    assert_eq!((count("rating.deliver"), count("message.deliver"), count("session.create")), (6, 6, 0), "with all attempts: {told:?}");
    shop.desk.says(accepted());
    let _ = shop.world.call(&shop.admin, Method::PUT, PROVIDER, connection).await.ok();
    shop.world.settle().await;
    assert_eq!(offered(&shop), offered_before + 1, "it is offered what waits, as far as it has room");
    shop.world.end().await;
}
