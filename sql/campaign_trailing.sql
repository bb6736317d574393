-- Per campaign and day: sums over the last 1, 3, 7, 14 and 28 days, that day included.
-- Days that have not begun for an account have no row.
WITH days AS (
    SELECT CAST(unnest(generate_series(
        CAST($since AS TIMESTAMP), CAST($until AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS date
),

windows AS (
    SELECT unnest([1, 3, 7, 14, 28]) AS window_days
),

begun AS (
    SELECT
        account_id,
        CAST(timezone(timezone, observed_at) AS DATE) AS today
    FROM ad_accounts
),

sums AS (
    SELECT
        days.date,
        metrics.account_id,
        metrics.campaign_id,
        CAST(windows.window_days AS BIGINT) AS window_days,
        any_value(metrics.currency) AS currency,
        count(*) AS days_with_delivery,
        CAST(sum(impressions) AS BIGINT) AS impressions,
        CAST(sum(clicks) AS BIGINT) AS clicks,
        CAST(sum(link_clicks) AS BIGINT) AS link_clicks,
        sum(spend) AS spend,
        sum(purchases) AS purchases,
        sum(purchase_value) AS purchase_value,
        sum(leads) AS leads,
        avg(maturity) AS maturity,
        max(metrics.observed_at) AS observed_at
    FROM days
    CROSS JOIN windows
    JOIN campaign_metrics AS metrics
        ON metrics.date BETWEEN days.date - CAST(windows.window_days - 1 AS INTEGER) AND days.date
    JOIN begun
        ON begun.account_id = metrics.account_id
        AND days.date <= begun.today
    GROUP BY ALL
)

SELECT
    *,
    ctr(clicks, impressions) AS ctr,
    cpc(spend, clicks) AS cpc,
    cpm(spend, impressions) AS cpm,
    cpa(spend, purchases) AS cpa,
    roas(purchase_value, spend) AS roas
FROM sums
ORDER BY date, account_id, campaign_id, window_days
