//! Who a part of the schema is for.

use async_graphql_parser::Positioned;
use async_graphql_parser::types::ConstDirective;

/// Which schema a viewer has. Every element of the schema declares its audiences with `@public`, `@donor`,
/// `@partner` or `@staff`; undeclared is for staff.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Audience {
    Public,
    Donor,
    Partner,
    Staff,
}

impl Audience {
    pub const ALL: [Self; 4] = [Self::Public, Self::Donor, Self::Partner, Self::Staff];

    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Donor => "DONOR",
            Self::Partner => "PARTNER",
            Self::Staff => "STAFF",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Public => 1,
            Self::Donor => 2,
            Self::Partner => 4,
            Self::Staff => 8,
        }
    }
}

/// A set of audiences. Staff is always in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Audiences(u8);

impl Audiences {
    pub const STAFF: Self = Self(8);
    pub const ALL: Self = Self(15);
    pub const NONE: Self = Self(0);

    /// What the directives of an element say, and whether they say anything.
    pub fn declared(directives: &[Positioned<ConstDirective>]) -> Option<Self> {
        let mut audiences = Self::NONE;
        for directive in directives {
            audiences = audiences.with(match directive.node.name.node.as_str() {
                "public" => Self(15),
                "donor" => Self(2 | 8),
                "partner" => Self(4 | 8),
                "staff" => Self::STAFF,
                _ => continue,
            });
        }
        (audiences != Self::NONE).then_some(audiences)
    }

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn holds(self, audience: Audience) -> bool {
        self.0 & audience.bit() != 0
    }

    /// As the schema writes it.
    pub fn directives(self) -> &'static str {
        match self.0 {
            15 => "@public",
            14 => "@partner @donor",
            12 => "@partner",
            10 => "@donor",
            _ => "@staff",
        }
    }

    /// The library's `visible` for these audiences.
    pub fn visible(self) -> fn(&async_graphql::Context<'_>) -> bool {
        fn of(ctx: &async_graphql::Context<'_>) -> Audience {
            ctx.data_opt().copied().unwrap_or(Audience::Public)
        }
        match self.0 {
            15 => |_| true,
            14 => |ctx| of(ctx) != Audience::Public,
            12 => |ctx| matches!(of(ctx), Audience::Partner | Audience::Staff),
            10 => |ctx| matches!(of(ctx), Audience::Donor | Audience::Staff),
            _ => |ctx| of(ctx) == Audience::Staff,
        }
    }
}
