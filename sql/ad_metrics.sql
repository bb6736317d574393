-- One row per ad and day: Meta's texts as numbers, one canonical purchase type per account.
-- An ad without delivery has no row.
SELECT
    * EXCLUDE (level, object_id, age_days),
    ctr(clicks, impressions) AS ctr,
    cpc(spend, clicks) AS cpc,
    cpm(spend, impressions) AS cpm,
    cpa(spend, purchases) AS cpa,
    roas(purchase_value, spend) AS roas
FROM insights_numbers
WHERE level = 'ad'
  AND date BETWEEN $since AND $until
ORDER BY date, account_id, ad_id
