package roster

const (
	grave   = true
	mending = false
)

// explanations are the texts of all rules.
var explanations = map[Rule]explanation{
	CellEmpty: {
		grave,
		Explanation{"is empty", "fill it in; every row needs it"},
		Explanation{"没有填写", "请填上，每一行都要有"},
	},
	CellID: {
		grave,
		Explanation{"is not an id", "use 1 to 64 characters of A-Z a-z 0-9 . _ : and -; what people call it goes into label or name"},
		Explanation{"不是编号", "编号只能用 1 到 64 个字母、数字和 . _ : -；平时的叫法请填到“门牌”或“名称”"},
	},
	CellPersonalID: {
		grave,
		Explanation{"looks like a telephone number or the number of an identity card", "ids stand in logs and leave the store: choose one that says nothing of the person"},
		Explanation{"像是电话号码或身份证号", "编号会出现在日志里，请另取一个看不出是谁的编号"},
	},
	CellWord: {
		grave,
		Explanation{"is not one of the words that may stand here", "see the table of columns in deploy/docs/roster.md"},
		Explanation{"不是这一列可以填的词", "可以填的词见 deploy/docs/roster.md 的列表"},
	},
	CellDate: {
		grave,
		Explanation{"is not a date", "write 2026-08-01, or a time such as 2026-08-01T08:00:00+08:00"},
		Explanation{"不是日期", "请写成 2026-08-01"},
	},
	CellNumber: {
		grave,
		Explanation{"is not a whole number of 0 or more", "write digits only"},
		Explanation{"不是整数", "请只填数字"},
	},
	CellHours: {
		grave,
		Explanation{"are not duty hours", "write mon-fri 08:00-18:00; sat 09:00-12:00"},
		Explanation{"不是值班时间", "请写成 mon-fri 08:00-18:00; sat 09:00-12:00"},
	},
	CellZone: {
		grave,
		Explanation{"is not a time zone", "use an IANA name such as Asia/Shanghai, or leave it empty"},
		Explanation{"不是时区", "请写 Asia/Shanghai，或者空着"},
	},
	CellCharacters: {
		grave,
		Explanation{"holds control characters or a line break", "write it anew by hand; what was copied from elsewhere may hold what cannot be seen"},
		Explanation{"里有看不见的字符或换行", "请重新手工输入"},
	},
	CellLong: {
		grave,
		Explanation{"is longer than 500 characters", "shorten it"},
		Explanation{"超过 500 个字", "请写短一些"},
	},
	CellDigitsLost: {
		grave,
		Explanation{"is a number that has lost digits", "format the column as text and write the number anew"},
		Explanation{"这个号码丢了位数（表格把它当成了数值）", "请把这一列设成“文本”格式，再重新输入号码"},
	},
	CellFormulaError: {
		grave,
		Explanation{"is a formula with an error", "write the value in place of the formula"},
		Explanation{"公式出错了", "请直接填写结果，不要用公式"},
	},
	CellFormulaEmpty: {
		grave,
		Explanation{"is a formula whose value was not saved", "open the file in a spreadsheet program and save it, or write the value in place of the formula"},
		Explanation{"公式没有保存结果", "请用表格软件打开后再保存一次，或者直接填写结果"},
	},
	CellUnknownUnit: {
		grave,
		Explanation{"is neither the id nor the one name of a unit", "write the id from sheet units"},
		Explanation{"不是单位编号，也不是唯一的单位名称", "请填“单位”表里的编号"},
	},
	RowConflict: {
		grave,
		Explanation{"says something else than an earlier row of the same id", "make the rows agree, or give it an id of its own"},
		Explanation{"和前面同一编号的行不一致", "请改成一致，或者另取一个编号"},
	},
	RowTwice: {
		grave,
		Explanation{"stands in the list already", "remove one of the rows"},
		Explanation{"前面已经有了", "请删去其中一行"},
	},
	RowLong: {
		grave,
		Explanation{"the row has more cells than the header has columns", "quote a field with a comma in it, or name the column"},
		Explanation{"这一行比表头多出格子", "内容里有逗号的请加引号，或者给这一列写上表头"},
	},
	RowHidden: {
		mending,
		Explanation{"is hidden, and is read all the same", "show it, and delete it if it is not meant"},
		Explanation{"是隐藏的行，也会读入", "请取消隐藏；不要的请删除"},
	},
	ColumnMissing: {
		grave,
		Explanation{"is missing", "the first row names the columns; see deploy/docs/roster.md"},
		Explanation{"缺少这一列", "第一行是表头；列名见 deploy/docs/roster.md"},
	},
	ColumnTwice: {
		grave,
		Explanation{"stands twice in the header", "rename or remove one of them"},
		Explanation{"表头里有两列同名", "请改名或删去一列"},
	},
	ColumnUnknown: {
		mending,
		Explanation{"a column of this sheet has a heading that means nothing here, and is not read", "rename it if it should be; see deploy/docs/roster.md"},
		Explanation{"有一列的表头认不出，没有读入", "如果需要读入请改名；列名见 deploy/docs/roster.md"},
	},
	SheetUnknown: {
		mending,
		Explanation{"a sheet has a name that means nothing here, and is not read", "rename it if it should be; see deploy/docs/roster.md"},
		Explanation{"有一张表的名字认不出，没有读入", "如果需要读入请改名；表名见 deploy/docs/roster.md"},
	},
	SheetTwice: {
		grave,
		Explanation{"stands twice", "put the rows into one"},
		Explanation{"有两张同样的表", "请合并成一张"},
	},
	SheetEmpty: {
		mending,
		Explanation{"has no rows", "remove it, or fill it in"},
		Explanation{"是空表", "请填写，或者删去"},
	},
	FileEncoding: {
		grave,
		Explanation{"is neither UTF-8 nor GBK", "save the file as CSV UTF-8"},
		Explanation{"文件编码认不出", "请另存为“CSV UTF-8”"},
	},
	FileSyntax: {
		grave,
		Explanation{"a quote is out of place", `write "" for a quote in a quoted field`},
		Explanation{"引号不成对", `字段里的引号请写成 ""`},
	},
	UntilNotAfterFrom: {
		grave,
		Explanation{"is not after the beginning", "until is the first moment in which it is not so any more"},
		Explanation{"不晚于开始日期", "“截止”是不再有效的第一天"},
	},

	UnitUnknownParent: {
		grave,
		Explanation{"names a unit that is not in the list", "add it to sheet units, or correct the id"},
		Explanation{"上级单位不在名单里", "请在“单位”表里加上，或改正编号"},
	},
	UnitCycle: {
		grave,
		Explanation{"is above itself in the tree", "correct the parent"},
		Explanation{"上下级绕成了圈", "请改正上级单位"},
	},
	UnitLevel: {
		grave,
		Explanation{"is not below its parent: city, county, town, village, cell", "correct level or parent"},
		Explanation{"级别不在上级之下：市、区县、镇街、村、网格", "请改正级别或上级单位"},
	},
	VillageNoChair: {
		mending,
		Explanation{"is a village without a chair: its alerts go to the operator", "add a person with role chair"},
		Explanation{"这个村没有妇联主席，预警会转给运维人员", "请加上一位妇联主席"},
	},
	EscalationEnds: {
		mending,
		Explanation{"is a village above which nobody takes over when no one answers", "add the town above it, and a person with role town-desk"},
		Explanation{"村里无人应答时，上面没有人接手", "请补上所属镇街，并加一位镇街值班人员"},
	},

	HomeUnknownVillage: {
		grave,
		Explanation{"names a village that is not in sheet units", "add it there, or correct the id"},
		Explanation{"村不在“单位”表里", "请在“单位”表里加上，或改正编号"},
	},
	HomeNoVillage: {
		mending,
		Explanation{"is a home without a village: nobody answers for it", "name its village"},
		Explanation{"没有填村，没有人负责这一户", "请填上村"},
	},
	HomeNoMeter: {
		mending,
		Explanation{"is a home without a meter: it cannot be watched", "add its meter"},
		Explanation{"这一户没有电表，无法看护", "请填上电表号"},
	},
	HomeErased: {
		grave,
		Explanation{"has been erased", "give the household that lives there now another id, and take the old one out of the list"},
		Explanation{"这一户已经按要求删除", "现在住的人请用新的户号，并从名单里去掉旧户号"},
	},
	MeterNoHome: {
		grave,
		Explanation{"is a meter of a household that is not in the list", "add the household, or correct the id"},
		Explanation{"电表对应的户不在名单里", "请加上这一户，或改正户号"},
	},
	MeterTwice: {
		grave,
		Explanation{"is a meter with two homes at one time", "remove one of the rows, or bound them with from and until"},
		Explanation{"同一只电表同一时间有两户", "请删去一行，或用启用、停用日期分开"},
	},
	LabelTwice: {
		mending,
		Explanation{"is the label of another home of the village, too: the chair cannot tell them apart", "make the labels differ"},
		Explanation{"同村有两户门牌一样，主席分不清", "请改成不同的门牌"},
	},
	ConsentMissing: {
		mending,
		Explanation{"is a home without consent: it is not watched", "record consent of scope watch, or take the home off"},
		Explanation{"没有本人同意的记录，不会看护", "请登记“看护”的同意，或去掉这一户"},
	},
	ConsentExpired: {
		mending,
		Explanation{"is a home whose consent has ended: it is watched no more", "ask again and record it, or take the home off"},
		Explanation{"同意已到期，不再看护", "请重新征得同意并登记，或去掉这一户"},
	},
	ScreeningIncomplete: {
		mending,
		Explanation{"is a home whose screening is not decided", "finish the steps: proposed, first-review, peer-review, visit, decision"},
		Explanation{"这一户的审核没有走完", "请走完：提名、初审、互审、入户、认定"},
	},
	ScreeningOrder: {
		grave,
		Explanation{"is a step of the screening without those before it", "add them with verdict and reason: proposed, first-review, peer-review, visit, decision"},
		Explanation{"审核跳过了前面的步骤", "请补上前面步骤的结论和理由：提名、初审、互审、入户、认定"},
	},
	ScreeningRefused: {
		grave,
		Explanation{"goes on after a step that said no", "after a no comes the decision no, or the household is proposed anew"},
		Explanation{"前一步没有通过，审核不能继续", "没有通过的只能认定为不通过，或重新提名"},
	},
	UnknownHousehold: {
		grave,
		Explanation{"names a household that is not in the list", "add it to sheet households, or correct the id"},
		Explanation{"户号不在名单里", "请在“住户”表里加上，或改正户号"},
	},
	UnknownService: {
		grave,
		Explanation{"names a service that is not in the list", "add it to sheet services, or correct the id"},
		Explanation{"服务不在名单里", "请在“服务”表里加上，或改正编号"},
	},
	UnknownUnit: {
		grave,
		Explanation{"names a unit that is not in the list", "add it to sheet units, or correct the id"},
		Explanation{"单位不在名单里", "请在“单位”表里加上，或改正编号"},
	},

	UnknownPerson: {
		grave,
		Explanation{"names a person who is not in the list", "add her to sheet people, or correct the id"},
		Explanation{"人员不在名单里", "请在“人员”表里加上，或改正编号"},
	},
	PersonTwice: {
		mending,
		Explanation{"is a person of the same name and duty as another", "if it is the same person, give both rows one person_id"},
		Explanation{"和另一位人员同名同职", "如果是同一个人，请用同一个人员编号"},
	},
	PersonNoDuty: {
		mending,
		Explanation{"is a person without a duty: she is never told anything", "add a role, or take her off"},
		Explanation{"没有填角色，不会收到任何消息", "请填上角色，或去掉这个人"},
	},
	DutyPlace: {
		grave,
		Explanation{"is a role for another place", "resident, kin, care-team and cadre need a household_id; the others a unit of their level"},
		Explanation{"角色和所属地方不符", "本人、亲属、关爱小组、走访干部请填户号；其余请填相应级别的单位"},
	},
	NumberImpossible: {
		grave,
		Explanation{"is a telephone number that cannot exist", "a mobile number has 11 digits and begins with 13 to 19, a landline begins with its area code"},
		Explanation{"这样的电话号码不存在", "手机号是 11 位，以 13 到 19 开头；固定电话要带区号"},
	},
	NumberWithoutAreaCode: {
		grave,
		Explanation{"is a landline without its area code", "write 0574-88888888"},
		Explanation{"固定电话没有区号", "请写成 0574-88888888"},
	},
	NumberShared: {
		mending,
		Explanation{"is the number of other people, too", "check whose it is; an answer by SMS cannot tell them apart"},
		Explanation{"好几个人用同一个号码", "请核对；回短信时分不清是谁"},
	},
	ContactWrong: {
		mending,
		Explanation{"is known to reach nobody, or somebody else", "ask for the number that is right"},
		Explanation{"这个号码打不通或不是本人", "请换成正确的号码"},
	},
	ContactAged: {
		mending,
		Explanation{"was last checked more than a year ago", "call once, and note the day in checked_at"},
		Explanation{"一年多没有核对过", "请打一次电话核对，并填上核对日期"},
	},
	ChannelClosed: {
		mending,
		Explanation{"is on a channel that the configuration does not open", "open it in section alerts, or choose another"},
		Explanation{"这个渠道没有开通", "请在配置里开通，或换一个渠道"},
	},
	ChairUnreachable: {
		mending,
		Explanation{"is a chair whom nothing can reach: her alerts go to the operator", "give her a contact that works"},
		Explanation{"这位主席没有可用的联系方式，预警会转给运维人员", "请填上能联系到她的号码"},
	},
	StandInUnknown: {
		grave,
		Explanation{"names a stand-in who is not in the list", "add her to sheet people, or correct the id"},
		Explanation{"代班人不在名单里", "请在“人员”表里加上，或改正编号"},
	},
	StandInCircle: {
		mending,
		Explanation{"stands in for herself, through others or at once", "name somebody outside the circle"},
		Explanation{"代班绕成了圈", "请换一位代班人"},
	},
	StandInOff: {
		mending,
		Explanation{"has a stand-in who is off at the same time", "name another for these days"},
		Explanation{"代班人那几天也不在", "那几天请另找一位"},
	},
}
