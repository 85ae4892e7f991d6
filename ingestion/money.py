"""Money: how many decimals a currency has. Amounts are stored with just as many, so that sums have them too."""

from decimal import Decimal

# ISO 4217, list one, as of 2024; every other currency has two.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}

# Below it, a hundred billion amounts add up in the 34 digits of a Decimal128 without rounding.
LARGEST_AMOUNT = Decimal(10) ** 15


def unit(currency: str) -> Decimal:
    """The least amount of a currency: 0.01 of USD, 1 of JPY, 0.001 of KWD."""
    return Decimal(1).scaleb(-_DIGITS.get(currency, 2))


def zero(currency: str) -> Decimal:
    """Nothing, written with the currency's decimals."""
    return 0 * unit(currency)
