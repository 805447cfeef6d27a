//! Currencies by ISO 4217, with the digits after the point of each.

use crate::store::input::Message;

/// Those with two digits after the point.
const TWO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
    CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
    IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN \
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD \
    SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG";
const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";

/// How many digits an amount of a currency has after the point; none for what is no currency.
pub fn decimals(code: &str) -> Option<u8> {
    let lists = [(NONE, 0), (TWO, 2), (THREE, 3)];
    lists
        .into_iter()
        .find(|(list, _)| list.split_whitespace().any(|one| one == code))
        .map(|(_, digits)| digits)
}

pub(in crate::store) const UNKNOWN: Message =
    Message { en: "There is no such currency.", es: "No existe esa moneda." };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_have_their_digits() {
        for (code, digits) in [
            ("CLP", Some(0)),
            ("MXN", Some(2)),
            ("KWD", Some(3)),
            ("EUR", Some(2)),
            ("XXX", None),
            ("", None),
        ] {
            assert_eq!(decimals(code), digits, "{code}");
        }
    }
}
