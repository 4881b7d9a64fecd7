//! Named scenarios. Each is a test, and is cut at every record by `cuts`.

mod plans;

use crate::world::World;

pub type Scenario = (&'static str, fn(&mut World));

macro_rules! scenarios {
    ($($(#[doc = $doc:literal])* fn $name:ident($world:ident) $body:block)*) => {
        $(
            $(#[doc = $doc])*
            fn $name($world: &mut $crate::world::World) $body
        )*

        pub(super) const ALL: &[super::Scenario] = &[$((stringify!($name), $name),)*];

        mod run {
            $(
                #[test]
                fn $name() {
                    let mut world = $crate::world::World::new();
                    super::$name(&mut world);
                    world.end();
                }
            )*
        }
    };
}
use scenarios;

pub fn all() -> impl Iterator<Item = Scenario> {
    [plans::ALL].into_iter().flatten().copied()
}
