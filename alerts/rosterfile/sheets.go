package rosterfile

import (
	"slices"
	"strings"

	"weimang/alerts/roster"
)

// Sheet is a kind of sheet and the columns that it may have.
type Sheet struct {
	Of      roster.Sheet
	Zh      string
	Columns []Column
	also    []string // other names
	key     []string // columns that tell its entries apart
	owner   string   // column of whose entries a list names all or none; "" is none
}

// Column is a column of a sheet. Headings in either language are read, in any
// case and order.
type Column struct {
	Key, Zh  string
	Personal bool // says who somebody is, or what was said of her
	also     []string
	kind     kind
	need     bool
	words    []word
	// part is the kind of entry that the column belongs to where a sheet holds
	// two, such as a household with its meter; "" is the sheet's own.
	part roster.Sheet
}

// kind is how a cell is read.
type kind int

const (
	text    kind = iota
	id           // of the stream or the store
	unit         // id or name of a unit
	number       // 0 or more
	date         // or time
	hour         // date that is cut to the hour, as the stream knows it
	hours        // of duty
	zone         // IANA name
	flag         // yes or no
	channel      // name of a channel
	address      // what a channel needs
)

// word is one of a closed set, in the language of the store, in Chinese, and
// other ways in which it is written.
type word struct {
	is, zh string
	also   []string
}

func words[T ~string](zh map[T]string, also map[T][]string, set []T) []word {
	out := make([]word, len(set))
	for i, w := range set {
		out[i] = word{string(w), zh[w], also[w]}
	}
	return out
}

var (
	levels = words(map[roster.Level]string{roster.City: "市", roster.County: "区县", roster.Town: "镇街", roster.Village: "村", roster.Cell: "网格"},
		map[roster.Level][]string{
			roster.City: {"地市"}, roster.County: {"县", "区", "县区"}, roster.Town: {"镇", "乡", "街道", "乡镇"}, roster.Village: {"社区", "行政村"}, roster.Cell: {"微网格"},
		}, roster.Levels)
	roles = words(map[roster.Role]string{
		roster.Resident: "本人", roster.Kin: "亲属", roster.CareTeam: "关爱小组", roster.Cadre: "走访干部", roster.GridWorker: "网格员",
		roster.Chair: "妇联主席", roster.Deputy: "妇联副主席", roster.Volunteer: "志愿者", roster.TownDesk: "镇街值班", roster.CountyDesk: "区县值班", roster.Operator: "运维",
	}, map[roster.Role][]string{
		roster.Resident: {"住户", "老人"}, roster.Kin: {"家属", "子女"}, roster.Cadre: {"联系干部"}, roster.Chair: {"主席"}, roster.Deputy: {"副主席"},
		roster.TownDesk: {"镇值班", "街道值班"}, roster.CountyDesk: {"县值班", "区值班"}, roster.Operator: {"运维人员"},
	}, roster.Roles)
	langs = words(map[roster.Lang]string{roster.Chinese: "中文", roster.English: "英文"},
		map[roster.Lang][]string{roster.Chinese: {"zh", "cn", "chinese", "汉语"}, roster.English: {"english"}}, roster.Langs)
	states = words(map[roster.ContactState]string{roster.Good: "有效", roster.Wrong: "无效"},
		map[roster.ContactState][]string{roster.Good: {"可用", "正常"}, roster.Wrong: {"空号", "错误", "停机"}}, []roster.ContactState{roster.Good, roster.Wrong})
	scopes = words(map[roster.Scope]string{roster.ToWatch: "看护", roster.ToName: "姓名地址", roster.ToKin: "告知亲属", roster.ToCurve: "用电曲线"}, nil, roster.Scopes)
	steps  = words(map[roster.Step]string{
		roster.Proposed: "提名", roster.FirstReview: "初审", roster.PeerReview: "互审", roster.DoorVisit: "入户", roster.Decided: "认定", roster.Discontinued: "退出",
	}, map[roster.Step][]string{roster.DoorVisit: {"入户走访", "走访"}, roster.PeerReview: {"联审"}}, roster.Steps)
	verdicts = words(map[roster.Verdict]string{roster.Yes: "通过", roster.No: "不通过"},
		map[roster.Verdict][]string{roster.Yes: {"同意", "是"}, roster.No: {"不同意", "否"}}, []roster.Verdict{roster.Yes, roster.No})
	givers = words(map[roster.Role]string{roster.Resident: "本人", roster.Kin: "亲属"},
		map[roster.Role][]string{roster.Kin: {"家属", "子女"}}, []roster.Role{roster.Resident, roster.Kin})
	channels = []word{
		{"sms", "短信", []string{"手机短信"}},
		{"voice", "语音", []string{"电话", "语音电话"}},
		{"wecom", "企业微信", nil},
		{"dingtalk", "钉钉", nil},
		{"feishu", "飞书", nil},
		{"mail", "邮件", []string{"邮箱", "电子邮件"}},
		{"console", "控制台", nil},
	}
)

// Sheets are all sheets, in their order.
var Sheets = []Sheet{
	{Of: roster.SheetUnits, Zh: "单位", also: []string{"村", "组织", "villages"}, key: []string{"unit_id"}, Columns: []Column{
		{Key: "unit_id", Zh: "单位编号", also: []string{"编号", "village_id", "id"}, kind: id, need: true},
		{Key: "level", Zh: "级别", also: []string{"层级"}, words: levels, need: true},
		{Key: "parent_id", Zh: "上级编号", also: []string{"上级", "上级单位"}, kind: id},
		{Key: "name", Zh: "名称", also: []string{"单位名称", "村名"}},
	}},
	{Of: roster.SheetHouseholds, Zh: "住户", also: []string{"户", "家庭", "homes"}, key: []string{"household_id"}, Columns: []Column{
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "village_id", Zh: "村", also: []string{"村编号", "所属村", "unit_id", "village"}, kind: unit},
		{Key: "cell_id", Zh: "网格", also: []string{"网格编号"}, kind: unit},
		{Key: "area_id", Zh: "台区", also: []string{"台区编号"}, kind: id},
		{Key: "label", Zh: "门牌", also: []string{"称呼", "户名"}, Personal: true},
		{Key: "address", Zh: "地址", also: []string{"住址"}, Personal: true},
		{Key: "zone", Zh: "时区", kind: zone},
		{Key: "visit_every", Zh: "走访间隔天数", also: []string{"走访间隔"}, kind: number},
		{Key: "meter_id", Zh: "电表号", also: []string{"表号", "电表"}, kind: id, part: roster.SheetMeters},
		{Key: "from", Zh: "启用", also: []string{"启用日期"}, kind: hour, part: roster.SheetMeters},
		{Key: "until", Zh: "停用", also: []string{"停用日期"}, kind: hour, part: roster.SheetMeters},
	}},
	{Of: roster.SheetMeters, Zh: "电表", key: []string{"meter_id", "from"}, owner: "household_id", Columns: []Column{
		{Key: "meter_id", Zh: "电表号", also: []string{"表号", "电表"}, kind: id, need: true},
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "village_id", Zh: "村", also: []string{"村编号", "village"}, kind: unit},
		{Key: "area_id", Zh: "台区", also: []string{"台区编号"}, kind: id},
		{Key: "zone", Zh: "时区", kind: zone},
		{Key: "from", Zh: "启用", also: []string{"启用日期"}, kind: hour},
		{Key: "until", Zh: "停用", also: []string{"停用日期"}, kind: hour},
	}},
	{Of: roster.SheetPeople, Zh: "人员", also: []string{"人员名单", "persons"}, key: []string{"person_id"}, Columns: []Column{
		{Key: "person_id", Zh: "人员编号", kind: id},
		{Key: "name", Zh: "姓名", also: []string{"名字"}, Personal: true},
		{Key: "role", Zh: "角色", also: []string{"职务", "身份"}, words: roles, part: roster.SheetDuties},
		{Key: "unit_id", Zh: "村", also: []string{"单位", "单位编号", "村编号", "所属村", "village_id", "village"}, kind: unit, part: roster.SheetDuties},
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, part: roster.SheetDuties},
		{Key: "order", Zh: "顺序", kind: number, part: roster.SheetDuties},
		{Key: "phone", Zh: "电话", also: []string{"手机", "手机号", "联系电话", "电话号码"}, kind: address, Personal: true, part: roster.SheetContacts},
		{Key: "channel", Zh: "渠道", also: []string{"通知方式"}, kind: channel, words: channels, part: roster.SheetContacts},
		{Key: "address", Zh: "号码", also: []string{"账号", "渠道号码"}, kind: address, Personal: true, part: roster.SheetContacts},
		{Key: "state", Zh: "号码状态", words: states, part: roster.SheetContacts},
		{Key: "checked_at", Zh: "核对日期", kind: date, part: roster.SheetContacts},
		{Key: "language", Zh: "语言", words: langs},
		{Key: "hours", Zh: "值班时间", kind: hours},
		{Key: "holidays", Zh: "节假日休息", kind: flag},
		{Key: "stand_in", Zh: "代班人", also: []string{"代班人编号"}, kind: id},
		{Key: "skills", Zh: "特长", Personal: true},
	}},
	{Of: roster.SheetDuties, Zh: "职责", key: []string{"person_id", "role", "unit_id", "household_id"}, owner: "person_id", Columns: []Column{
		{Key: "person_id", Zh: "人员编号", kind: id, need: true},
		{Key: "role", Zh: "角色", also: []string{"职务", "身份"}, words: roles, need: true},
		{Key: "unit_id", Zh: "村", also: []string{"单位", "单位编号", "村编号", "village_id", "village"}, kind: unit},
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id},
		{Key: "order", Zh: "顺序", kind: number},
	}},
	{Of: roster.SheetContacts, Zh: "联系方式", key: []string{"person_id", "channel", "address"}, owner: "person_id", Columns: []Column{
		{Key: "person_id", Zh: "人员编号", kind: id, need: true},
		{Key: "channel", Zh: "渠道", also: []string{"通知方式"}, kind: channel, words: channels, need: true},
		{Key: "address", Zh: "号码", also: []string{"账号", "渠道号码", "电话"}, kind: address, Personal: true},
		{Key: "state", Zh: "号码状态", also: []string{"状态"}, words: states},
		{Key: "checked_at", Zh: "核对日期", kind: date},
	}},
	{Of: roster.SheetLeaves, Zh: "休假", also: []string{"请假"}, key: []string{"person_id", "from"}, owner: "person_id", Columns: []Column{
		{Key: "person_id", Zh: "人员编号", kind: id, need: true},
		{Key: "from", Zh: "开始", also: []string{"开始日期"}, kind: date, need: true},
		{Key: "until", Zh: "截止", also: []string{"结束", "截止日期"}, kind: date, need: true},
		{Key: "stand_in", Zh: "代班人", also: []string{"代班人编号"}, kind: id},
	}},
	{Of: roster.SheetConsents, Zh: "同意", also: []string{"知情同意"}, key: []string{"household_id", "scope", "from"}, Columns: []Column{
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "scope", Zh: "范围", also: []string{"同意范围"}, words: scopes, need: true},
		{Key: "from", Zh: "开始", also: []string{"开始日期", "同意日期"}, kind: date},
		{Key: "until", Zh: "截止", also: []string{"截止日期", "撤回日期"}, kind: date},
		{Key: "given_by", Zh: "同意人", words: givers, need: true},
		{Key: "recorded_at", Zh: "登记日期", kind: date},
	}},
	{Of: roster.SheetScreening, Zh: "审核", also: []string{"摸排", "筛查"}, key: []string{"household_id", "step", "at"}, Columns: []Column{
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "step", Zh: "步骤", also: []string{"环节"}, words: steps, need: true},
		{Key: "verdict", Zh: "结论", also: []string{"意见"}, words: verdicts, need: true},
		{Key: "by", Zh: "审核单位", need: true},
		{Key: "reason", Zh: "理由", also: []string{"原因"}, Personal: true, need: true},
		{Key: "at", Zh: "日期", kind: date, need: true},
	}},
	{Of: roster.SheetServices, Zh: "服务", also: []string{"服务清单"}, key: []string{"service_id"}, Columns: []Column{
		{Key: "service_id", Zh: "服务编号", kind: id, need: true},
		{Key: "unit_id", Zh: "村", also: []string{"单位", "单位编号", "village_id", "village"}, kind: unit},
		{Key: "name", Zh: "名称", also: []string{"服务名称"}, need: true},
		{Key: "provider", Zh: "提供者"},
		{Key: "contact", Zh: "联系方式", also: []string{"电话"}, Personal: true},
	}},
	{Of: roster.SheetOrders, Zh: "服务申请", also: []string{"订单"}, key: []string{"order_id"}, Columns: []Column{
		{Key: "order_id", Zh: "申请编号", kind: id, need: true},
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "service_id", Zh: "服务编号", kind: id, need: true},
		{Key: "alert_id", Zh: "预警编号"},
		{Key: "asked_at", Zh: "申请日期", kind: date, need: true},
		{Key: "done_at", Zh: "完成日期", kind: date},
		{Key: "note", Zh: "备注", Personal: true},
	}},
	{Of: roster.SheetPlans, Zh: "一户一策", also: []string{"计划", "帮扶计划"}, key: []string{"household_id", "person_id", "service_id", "from", "what"}, Columns: []Column{
		{Key: "household_id", Zh: "户号", also: []string{"户编号"}, kind: id, need: true},
		{Key: "person_id", Zh: "人员编号", kind: id},
		{Key: "service_id", Zh: "服务编号", kind: id},
		{Key: "what", Zh: "内容", also: []string{"措施"}, Personal: true},
		{Key: "every_days", Zh: "间隔天数", kind: number},
		{Key: "from", Zh: "开始", also: []string{"开始日期"}, kind: date},
		{Key: "until", Zh: "截止", also: []string{"截止日期"}, kind: date},
	}},
}

// sheetOf is the sheet of a kind of entry.
func sheetOf(of roster.Sheet) *Sheet {
	i := slices.IndexFunc(Sheets, func(s Sheet) bool { return s.Of == of })
	return &Sheets[i]
}

// named is the sheet of a name in either language, or nil.
func named(name string) *Sheet {
	name = heading(name)
	for i := range Sheets {
		s := &Sheets[i]
		if name == string(s.Of) || name == s.Zh || slices.Contains(s.also, name) {
			return s
		}
	}
	return nil
}

// column is the column of a heading in either language, or nil.
func (s *Sheet) column(name string) *Column {
	name = heading(name)
	for i := range s.Columns {
		if c := &s.Columns[i]; name == c.Key || name == c.Zh || slices.Contains(c.also, name) {
			return c
		}
	}
	return nil
}

func (s *Sheet) byKey(key string) *Column {
	i := slices.IndexFunc(s.Columns, func(c Column) bool { return c.Key == key })
	return &s.Columns[i]
}

// Name is the sheet's name in a language.
func (s *Sheet) Name(lang roster.Lang) string {
	if lang == roster.Chinese {
		return s.Zh
	}
	return string(s.Of)
}

// Heading is the column's heading in a language.
func (c *Column) Heading(lang roster.Lang) string {
	if lang == roster.Chinese {
		return c.Zh
	}
	return c.Key
}

// heading is a name without what differs from hand to hand: case, width,
// spaces, a star for "required", and what stands in brackets.
func heading(s string) string {
	s = narrow(s)
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	return strings.ToLower(strings.Trim(strings.Join(strings.Fields(s), ""), "*:"))
}
