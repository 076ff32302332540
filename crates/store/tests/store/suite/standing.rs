//! How the fleet stood, hour by hour.

use store::{HOUR_MS, STANDING_HOURS_MAX, StandingHour, Store};

fn hour(n: i64, n_accepted: u64) -> StandingHour {
    StandingHour {
        hour_ms: n * HOUR_MS,
        n_accepted,
        n_not_accepted: 1,
        n_not_appraised: 2,
        n_not_responding: 3,
    }
}

pub(crate) async fn each_hour_has_its_last_count_and_old_ones_go(store: &dyn Store) {
    assert_eq!(store.standing_hours(0).await.unwrap(), []);
    for (n, n_accepted) in [(10, 5), (11, 6), (10, 7)] {
        store.put_standing(hour(n, n_accepted)).await.unwrap();
    }
    assert_eq!(store.standing_hours(0).await.unwrap(), [hour(10, 7), hour(11, 6)]);
    assert_eq!(store.standing_hours(11 * HOUR_MS).await.unwrap(), [hour(11, 6)]);
    assert_eq!(store.standing_hours(11 * HOUR_MS + 1).await.unwrap(), []);

    // Just not too old, and too old.
    store.put_standing(hour(10 + STANDING_HOURS_MAX, 8)).await.unwrap();
    assert_eq!(store.standing_hours(0).await.unwrap().len(), 3);
    store.put_standing(hour(11 + STANDING_HOURS_MAX, 9)).await.unwrap();
    let kept: Vec<_> =
        store.standing_hours(0).await.unwrap().iter().map(|hour| hour.n_accepted).collect();
    assert_eq!(kept, [6, 8, 9]);

    // Servers that count at once.
    let at_once = || store.put_standing(hour(11 + STANDING_HOURS_MAX, 10));
    let (one, two) = tokio::join!(at_once(), at_once());
    one.and(two).unwrap();
    assert_eq!(store.standing_hours(0).await.unwrap().len(), 3);
}
