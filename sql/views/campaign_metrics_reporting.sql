-- campaign_metrics with its amounts also in the reporting currency, at the rate of the latest day on
-- or before its own; empty without one. Ratios stay in the account's currency.
WITH wanted AS (
    SELECT metrics.*, reporting.reporting_currency
    FROM campaign_metrics AS metrics
    LEFT JOIN (SELECT DISTINCT reporting_currency FROM exchange_rates) AS reporting ON true
),

rated AS (
    SELECT
        wanted.*,
        CASE WHEN wanted.currency = wanted.reporting_currency THEN 1 ELSE rates.rate END AS rate
    FROM wanted
    ASOF LEFT JOIN exchange_rates AS rates
        ON rates.currency = wanted.currency
        AND rates.reporting_currency = wanted.reporting_currency
        AND rates.date <= wanted.date
)

SELECT
    *,
    CAST(CAST(spend AS DECIMAL(18, 6)) * CAST(rate AS DECIMAL(20, 12)) AS DECIMAL(38, 12))
        AS spend_reporting,
    CAST(CAST(purchase_value AS DECIMAL(18, 6)) * CAST(rate AS DECIMAL(20, 12))
        AS DECIMAL(38, 12)) AS purchase_value_reporting,
    purchase_value_expected * CAST(rate AS DOUBLE) AS purchase_value_expected_reporting,
    purchase_value_low * CAST(rate AS DOUBLE) AS purchase_value_low_reporting,
    purchase_value_high * CAST(rate AS DOUBLE) AS purchase_value_high_reporting
FROM rated
