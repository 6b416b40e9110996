//! Words that mean about the same in questions to a shop, in English, in chat shorthand and in Chinese. It knows no tenant.
//!
//! It is general knowledge, written by hand: where a tenant's phrasings say "refund", a customer may say "money back" or "退款". Words
//! count as themselves all the same, so a pair that a tenant tells apart ("cost", "charge") stays apart.

use std::sync::LazyLock;

use crate::spelling::{skeleton, stem};

/// A concept a line. A phrase of two words has `_` between them.
const CONCEPTS: &str = "\
buy purchase order 买 购买 订购 下单
cancel abort revoke stop 取消 撤销
refund reimburse reimbursement compensation money_back 退款 退钱 退还
return send_back give_back 退货 退回 寄回
exchange swap replace replacement 换货 更换 调换 换一个
price cost rate charge fee how_much 价格 价钱 多少钱 费用 收费 手续费
discount coupon promo promotion offer voucher deal sale 优惠 折扣 打折 促销 优惠券
deliver delivery shipping ship shipment dispatch courier parcel package 发货 送货 快递 物流 配送 包裹
track tracking trace status locate where_is 跟踪 查询 进度 状态 到哪
late delay delayed overdue slow still_not waiting 延迟 迟到 太慢 还没 怎么还
address location located place 地址 位置 地点
shop store outlet branch showroom 门店 实体店 店铺 商店
phone telephone mobile call contact number helpline hotline 电话 联系 手机 热线 号码
agent human person representative operator advisor someone staff 人工 客服 真人 人员
email mail inbox 邮箱 邮件
account profile 账户 账号 帐号 帐户
password passcode pin 密码
login signin log_in sign_in logged 登录 登陆
register registration signup sign_up create open join 注册 开通 开户
delete remove close deactivate erase 删除 注销 关闭
change modify edit update alter correct switch 修改 更改 变更 更新
pay paid payment 支付 付款 付钱
cod cash_on 货到付款
invoice bill receipt 发票 账单 收据
broken damaged damage defective faulty not_working cracked 损坏 破损 坏了 质量问题
wrong incorrect different mistake error 错了 发错 错误 不对
missing lost lose misplaced lack 丢失 丢了 不见 少了
stolen theft steal stole thief 被盗 被偷
available availability stock in_stock 有货 库存 现货 缺货 断货
size fit measurement 尺码 尺寸 大小
color colour 颜色
genuine original authentic fake 正品 真假 假货
guarantee warranty 保修 质保
complain complaint unhappy dissatisfied disappointed claim 投诉 不满
feedback review rating comment 评价 反馈
subscribe subscription unsubscribe newsletter 订阅 退订
timing timings hours opening 营业 几点 上班 下班
days long duration how_long how_many 多久 几天 多长时间
recommend suggest suggestion advice advise best 推荐 建议
help assist assistance support 帮助 帮忙 协助
hello hi hey 你好 您好 在吗
thanks thank thx tks ty 谢谢 感谢 多谢
limit maximum minimum max min 限额 上限 最多 最少
fail failed unsuccessful decline declined reject rejected 失败 被拒 拒绝
receive received got get arrive arrived come 收到 到货 到账
transfer send sent remit 转账 汇款
verify verification identity identification confirm authenticate 验证 认证 实名 身份
safe secure security 安全
points reward rewards loyalty 积分 会员
abroad international overseas foreign country 国外 海外 国际 国家
free gratis no_cost 免费
pincode pin_code zip zipcode postcode postal 邮编
app application software 软件 应用
website site online web 网站 官网 网上
expiry expire expired expiration 过期 有效期 保质期
topup top_up recharge add_money 充值
withdraw withdrawal atm cash_out 提现 取款 取现
explain tell know information info details 说明 告诉 知道 了解 信息
want need like would wish 想要 需要 希望
issue problem trouble difficulty 问题 麻烦 故障
you u 你 您
your ur 你的 您的
please pls plz kindly 请 麻烦您
why y 为什么 为何
are r
and n
what wat wht 什么 啥
how hw 怎么 如何 怎样 咋
where whr 哪里 哪儿 在哪
when wen 什么时候 何时
message msg sms 短信 消息
because coz bcoz cos cuz 因为
tomorrow tmrw tmr 明天
today tdy 今天
quantity amount qty 数量
language english chinese 语言 中文 英文
";

/// The longest entry in Chinese, in characters.
pub const UNSPACED_ENTRY_MAX: usize = 4;
/// Shorter skeletons are those of too many words.
const SKELETON_LETTERS_MIN: usize = 3;

/// Entries with the numbers of their concepts, sorted. One that stands in several lines counts in the first.
static ENTRIES: LazyLock<Vec<(&'static str, usize)>> = LazyLock::new(|| {
    let mut entries: Vec<(&str, usize)> =
        CONCEPTS.lines().enumerate().flat_map(|(number, line)| line.split(' ').map(move |entry| (entry, number))).collect();
    entries.sort_unstable();
    entries.dedup_by_key(|entry| entry.0);
    entries
});

/// Skeletons of single words that have but one concept, sorted.
static SKELETONS: LazyLock<Vec<(String, usize)>> = LazyLock::new(|| {
    let words = ENTRIES.iter().filter(|entry| entry.0.bytes().all(|byte| byte.is_ascii_lowercase()));
    let mut skeletons: Vec<(String, usize)> = words.map(|&(word, number)| (skeleton(stem(word)), number)).collect();
    skeletons.retain(|entry| entry.0.len() >= SKELETON_LETTERS_MIN);
    skeletons.sort_unstable();
    skeletons.dedup();
    skeletons.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == 1).map(|same| same[0].clone()).collect()
});

/// The number of the concept of an entry as it stands in the list: a word, two words with `_` between them, or a few Chinese
/// characters.
#[must_use]
pub fn concept(entry: &str) -> Option<usize> {
    ENTRIES.binary_search_by_key(&entry, |known| known.0).ok().map(|place| ENTRIES[place].1)
}

/// The number of the concept of a word, whatever its ending, and even if its vowels are wrong.
#[must_use]
pub fn concept_of_word(word: &str) -> Option<usize> {
    let stem = stem(word);
    concept(word).or_else(|| concept(stem)).or_else(|| concept(&format!("{stem}e"))).or_else(|| concept_of_skeleton(&skeleton(stem)))
}

fn concept_of_skeleton(skeleton: &str) -> Option<usize> {
    SKELETONS.binary_search_by(|known| known.0.as_str().cmp(skeleton)).ok().map(|place| SKELETONS[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_meaning_have_one_concept_in_every_language() {
        let refund = concept("refund");
        assert!(refund.is_some());
        assert_eq!(concept("money_back"), refund);
        assert_eq!(concept("退款"), refund);
        assert_ne!(concept("exchange"), refund);
    }

    #[test]
    fn a_word_is_known_with_an_ending_and_misspelt() {
        assert_eq!(concept_of_word("refunded"), concept("refund"));
        assert_eq!(concept_of_word("cancelation"), None);
        assert_eq!(concept_of_word("exchanging"), concept("exchange"));
        assert_eq!(concept_of_word("delivry"), concept("delivery"));
        assert_eq!(concept_of_word("banana"), None);
    }

    #[test]
    fn no_entry_is_there_twice_and_none_is_longer_than_is_looked_for() {
        let mut entries: Vec<&str> = CONCEPTS.lines().flat_map(|line| line.split(' ')).collect();
        let unspaced = |entry: &&&str| entry.chars().all(|character| character >= '\u{4e00}');
        assert!(entries.iter().filter(unspaced).all(|entry| entry.chars().count() <= UNSPACED_ENTRY_MAX));
        let count = entries.len();
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), count);
    }
}
